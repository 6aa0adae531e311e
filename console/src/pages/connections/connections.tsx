import { useState } from "preact/hooks";
import { Link } from "wouter-preact";
import { appPage } from "../../addresses";
import { path } from "../../api/client";
import type { ConnectionPage } from "../../api/inspection";
import type { ConnectionSummary } from "../../api/types";
import { TextField } from "../../components/field";
import { Loading } from "../../components/loading";
import { Empty, Page } from "../../components/page";
import { Pager } from "../../components/pager";
import { Table } from "../../components/table";
import { moment, number, since } from "../../format";
import { useList } from "../../state/use_list";
import { useSettled } from "../../state/use_settled";

const REFRESH_MS = 3000;

/** The connections of an app; the address may name a channel or a user to begin with. */
export function Connections({ appId }: { appId: string }) {
  const [asked] = useState(() => new URLSearchParams(location.search));
  const [channel, setChannel] = useState(asked.get("channel") ?? "");
  const [userId, setUserId] = useState(asked.get("userId") ?? "");
  return (
    <Page title="Connections" lead="All that are open, on all nodes.">
      <div class="grid">
        <TextField label="Subscribed to channel" type="search" value={channel} onChange={setChannel} mono />
        <TextField label="Of user" type="search" value={userId} onChange={setUserId} mono />
      </div>
      <ConnectionList appId={appId} query={{ channel: useSettled(channel), userId: useSettled(userId) }} />
    </Page>
  );
}

/** A list of connections, page by page. */
export function ConnectionList(props: { appId: string; query: { channel: string; userId: string } }) {
  const { appId, query } = props;
  const list = useList<ConnectionPage>(path`/apps/${appId}/connections`, query, REFRESH_MS);
  return (
    <Loading of={list}>
      {(page) => (
        <>
          {page.connections.length === 0 ? (
            <Empty title="There is none" action={<Link href={appPage(appId)}>Connect from the app's overview</Link>}>
              Clients show up here as soon as they have connected.
            </Empty>
          ) : (
            <ConnectionTable appId={appId} connections={page.connections} />
          )}
          <Pager {...list} shown={page.connections.length} total={page.total} />
        </>
      )}
    </Loading>
  );
}

function ConnectionTable({ appId, connections }: { appId: string; connections: ConnectionSummary[] }) {
  return (
    <Table
      label="Connections"
      rows={connections}
      rowKey={(connection) => connection.socketId}
      columns={[
        {
          title: "Socket id",
          isHead: true,
          cell: ({ socketId }) => (
            <Link class="mono" href={appPage(appId, ["connections", socketId])}>
              {socketId}
            </Link>
          ),
        },
        { title: "User", cell: ({ userId }) => userId ?? <span class="muted">–</span> },
        { title: "Protocol", cell: ({ protocol, transport }) => `${protocol}, ${transport}` },
        { title: "Channels", isNumber: true, cell: ({ channelCount }) => number(channelCount) },
        {
          title: "Open for",
          isNumber: true,
          cell: ({ openedAt }) => <span title={moment(openedAt)}>{since(openedAt)}</span>,
        },
        { title: "Node", cell: ({ node, host }) => <span title={node}>{host}</span> },
      ]}
    />
  );
}
