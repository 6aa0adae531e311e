import { get } from "../../api/client";
import type { NodeList } from "../../api/inspection";
import type { ServerNode } from "../../api/types";
import { Badge } from "../../components/badge";
import { Code } from "../../components/code";
import { Loading } from "../../components/loading";
import { Card, Page } from "../../components/page";
import { type ColumnOf, Table } from "../../components/table";
import { bytes, milliseconds, moment, number, since } from "../../format";
import { useLoaded } from "../../state/use_loaded";

const REFRESH_MS = 2000;

const COLUMNS: ColumnOf<ServerNode>[] = [
  { title: "Node", isHead: true, cell: (node) => <NodeName node={node} /> },
  { title: "State", cell: (node) => <NodeState node={node} /> },
  {
    title: "Up",
    isNumber: true,
    cell: (node) => <span title={moment(node.startedAt)}>{since(node.startedAt)}</span>,
  },
  { title: "Connections", cell: (node) => <Protocols node={node} /> },
  { title: "Channels", isNumber: true, cell: (node) => number(node.channels) },
  { title: "Published / s", isNumber: true, cell: (node) => number(node.publishedPerSecond) },
  { title: "Delivered / s", isNumber: true, cell: (node) => number(node.deliveredPerSecond) },
  { title: "Loop delay", isNumber: true, cell: (node) => milliseconds(node.loopDelayMs) },
  { title: "Memory", isNumber: true, cell: (node) => bytes(node.memoryBytes) },
  { title: "Slow consumers", isNumber: true, cell: (node) => number(node.slowConsumers) },
];

/** The servers that are there, each with its figures. */
export function Nodes() {
  const list = useLoaded((signal) => get<NodeList>("/nodes", {}, signal), [], REFRESH_MS);
  return (
    <Page title="Nodes" lead="Each process that serves connections is a node. All figures are of right now.">
      <Loading of={list}>
        {({ nodes, silent }) => (
          <>
            {silent > 0 && (
              <p class="message" role="status">
                {silent === 1 ? "One node has" : `${silent} nodes have`} not answered. It may be busy, or gone: after
                the broker's lease has run out it is not asked any more.
              </p>
            )}
            <Table label="Nodes" rows={nodes} rowKey={(node) => node.id} columns={COLUMNS} />
            {nodes.length + silent === 1 && <MoreNodes />}
          </>
        )}
      </Loading>
    </Page>
  );
}

function NodeName({ node }: { node: ServerNode }) {
  return (
    <>
      {node.host} {node.isThis && <Badge>answers you</Badge>}
      <br />
      <span class="muted mono">
        {node.id} · process {node.pid} · {node.version}
      </span>
    </>
  );
}

function NodeState({ node }: { node: ServerNode }) {
  return node.isDraining ? <Badge kind="busy">Draining</Badge> : <Badge kind="good">Serving</Badge>;
}

function Protocols({ node }: { node: ServerNode }) {
  return (
    <>
      <span class="number">{number(node.connections)}</span>
      {node.protocols.map(({ protocol, transport, connections }) => (
        <div key={`${protocol} ${transport}`} class="muted small-text">
          {number(connections)} {protocol}, {transport}
        </div>
      ))}
    </>
  );
}

function MoreNodes() {
  return (
    <Card title="More than one node">
      <p>
        Start as many servers as you like with the same apps and the same broker, a Redis or Valkey, behind any load
        balancer. All of them show up here.
      </p>
      <Code text="skubber serve --set broker=redis://redis.internal:6379/0" what="the command" />
      <p class="muted">
        On a machine with several cores <code>--workers</code> starts a node for each. More is in the document “Several
        servers”, <code>docs/scaling.md</code>.
      </p>
    </Card>
  );
}
