import { Link } from "wouter-preact";
import { appPage } from "../../addresses";
import { get, path } from "../../api/client";
import type { ChannelDetails } from "../../api/types";
import { Badge } from "../../components/badge";
import { Code } from "../../components/code";
import { Figure, FigureList } from "../../components/figure";
import { Loading } from "../../components/loading";
import { Card, Page } from "../../components/page";
import { Table } from "../../components/table";
import { number, pretty } from "../../format";
import { useLoaded } from "../../state/use_loaded";
import { ConnectionList } from "../connections/connections";

const REFRESH_MS = 3000;
const MOST_MEMBERS = 200;

/** A channel: who is subscribed, who its members are, and the event that it keeps. */
export function Channel({ appId, name }: { appId: string; name: string }) {
  const channel = useLoaded(
    (signal) => get<ChannelDetails>(path`/apps/${appId}/channels/${name}`, {}, signal),
    [appId, name],
    REFRESH_MS,
  );
  return (
    <Page
      title={name}
      lead={channel.value && <Badge>{channel.value.kind}</Badge>}
      actions={
        <Link class="button" href={appPage(appId, ["debug"], { channel: name })}>
          Debug console and sending for this channel
        </Link>
      }
    >
      <Loading of={channel}>
        {(details) => (
          <>
            <FigureList>
              <Figure name="Subscriptions" value={number(details.subscriptionCount)} />
              {details.userCount !== null && <Figure name="Users" value={number(details.userCount)} />}
            </FigureList>
            {details.keptEvent && <KeptEvent event={details.keptEvent} />}
            {details.members.length > 0 && <Members members={details.members} />}
          </>
        )}
      </Loading>
      <h2>Subscribed connections</h2>
      <ConnectionList appId={appId} query={{ channel: name, userId: "" }} />
    </Page>
  );
}

function KeptEvent({ event }: { event: NonNullable<ChannelDetails["keptEvent"]> }) {
  return (
    <Card title="Kept event">
      <p>
        Who subscribes gets <strong>{event.name}</strong> at once. It is kept for {number(event.expiresInSeconds)} s more.
      </p>
      <Code text={pretty(event.data)} what="the data" />
    </Card>
  );
}

function Members({ members }: { members: ChannelDetails["members"] }) {
  return (
    <Card title="Members">
      {members.length >= MOST_MEMBERS && <p class="muted">The first {MOST_MEMBERS} are shown.</p>}
      <Table
        label="Members"
        rows={members}
        rowKey={(member) => member.userId}
        columns={[
          { title: "User", isHead: true, cell: ({ userId }) => <span class="mono">{userId}</span> },
          {
            title: "Information",
            cell: ({ userInfo }) =>
              userInfo === null ? <span class="muted">–</span> : <code class="lines">{JSON.stringify(userInfo, null, 2)}</code>,
          },
        ]}
      />
    </Card>
  );
}
