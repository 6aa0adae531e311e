import { useState } from "preact/hooks";
import { Link } from "wouter-preact";
import { appPage } from "../../addresses";
import { path } from "../../api/client";
import type { ChannelPage } from "../../api/inspection";
import type { ChannelSummary } from "../../api/types";
import { Badge } from "../../components/badge";
import { TextField } from "../../components/field";
import { Loading } from "../../components/loading";
import { Empty, Page } from "../../components/page";
import { Pager } from "../../components/pager";
import { Table } from "../../components/table";
import { number } from "../../format";
import { useList } from "../../state/use_list";
import { useSettled } from "../../state/use_settled";

const REFRESH_MS = 3000;

/** The occupied channels of an app. */
export function Channels({ appId }: { appId: string }) {
  const [prefix, setPrefix] = useState("");
  const list = useList<ChannelPage>(path`/apps/${appId}/channels`, { prefix: useSettled(prefix) }, REFRESH_MS);
  return (
    <Page title="Channels" lead="A channel is there while somebody is subscribed to it.">
      <TextField label="Name begins with" type="search" value={prefix} onChange={setPrefix} mono />
      <Loading of={list}>
        {(page) => (
          <>
            {page.channels.length === 0 ? (
              <NoChannels appId={appId} isFiltered={prefix !== ""} />
            ) : (
              <ChannelTable appId={appId} channels={page.channels} />
            )}
            <Pager {...list} shown={page.channels.length} total={page.total} />
          </>
        )}
      </Loading>
    </Page>
  );
}

function ChannelTable({ appId, channels }: { appId: string; channels: ChannelSummary[] }) {
  return (
    <Table
      label="Channels"
      rows={channels}
      rowKey={(channel) => channel.name}
      columns={[
        {
          title: "Channel",
          isHead: true,
          cell: ({ name }) => (
            <Link class="mono" href={appPage(appId, ["channels", name])}>
              {name}
            </Link>
          ),
        },
        { title: "Kind", cell: ({ kind }) => <Badge>{kind}</Badge> },
        { title: "Subscriptions", isNumber: true, cell: (channel) => number(channel.subscriptionCount) },
        { title: "Users", isNumber: true, cell: (channel) => number(channel.userCount) },
      ]}
    />
  );
}

function NoChannels({ appId, isFiltered }: { appId: string; isFiltered: boolean }) {
  if (isFiltered) return <Empty title="No channel begins so">Capital letters count. Shorten the filter to see more.</Empty>;
  return (
    <Empty title="No channel is occupied" action={<Link href={appPage(appId)}>Send a first event</Link>}>
      As soon as a client subscribes, its channel is here. The app's overview has a subscriber to try.
    </Empty>
  );
}
