import { useState } from "preact/hooks";
import type { UsageDay } from "../../api/administration";
import { get } from "../../api/client";
import type { AppPage } from "../../api/types";
import { Bars } from "../../components/bars";
import { Button } from "../../components/button";
import { TextField } from "../../components/field";
import { Loading } from "../../components/loading";
import { Card, Empty, Page } from "../../components/page";
import { Table } from "../../components/table";
import { bytes, compact, number } from "../../format";
import { useLoaded } from "../../state/use_loaded";
import { type DayTotal, daysBetween, totalOf, totalsByDay, usageCsv } from "./usage_figures";

const DAY_MS = 86_400_000;
const DEFAULT_DAYS = 30;

const dayBefore = (days: number): string => new Date(Date.now() - days * DAY_MS).toISOString().slice(0, 10);

/** What apps have used, by day. */
export function Usage() {
  const [appId, setAppId] = useState("");
  const [from, setFrom] = useState(() => dayBefore(DEFAULT_DAYS - 1));
  const [to, setTo] = useState(() => dayBefore(0));
  const apps = useLoaded((signal) => get<AppPage>("/apps", { limit: 200 }, signal), []);
  const report = useLoaded(
    (signal) => get<{ usage: UsageDay[] }>("/usage", { appId: appId.trim(), from, to }, signal),
    [appId, from, to],
  );
  const usage = report.value?.usage ?? [];
  return (
    <Page
      title="Usage"
      lead="What apps have used, by day (UTC). Of the current day a few seconds may be missing."
      actions={
        <Button disabled={usage.length === 0} onPress={() => download(`usage-${from}-${to}.csv`, usageCsv(usage))}>
          Download as CSV
        </Button>
      }
    >
      <div class="filters">
        <TextField
          label="App"
          type="search"
          value={appId}
          onChange={setAppId}
          placeholder="All apps"
          suggestions={apps.value?.apps.map(({ id }) => id) ?? []}
        />
        <TextField label="From" type="date" value={from} onChange={setFrom} />
        <TextField label="To" type="date" value={to} onChange={setTo} />
      </div>
      <Loading of={report}>
        {(loaded) => (loaded.usage.length === 0 ? <NoUsage /> : <Figures usage={loaded.usage} from={from} to={to} />)}
      </Loading>
    </Page>
  );
}

function NoUsage() {
  return (
    <Empty title="Nothing was used in these days">
      A day appears as soon as something is published, delivered or connected on it. The books are written every ten seconds.
    </Empty>
  );
}

function Figures(props: { usage: UsageDay[]; from: string; to: string }) {
  const days = totalsByDay(props.usage, daysBetween(props.from, props.to));
  const all = totalOf(props.usage);
  return (
    <>
      <dl class="grid small">
        <Total label="Messages" value={compact(all.published + all.delivered)} />
        <Total label="Published" value={compact(all.published)} />
        <Total label="Delivered" value={compact(all.delivered)} />
        <Total label="Delivered data" value={bytes(all.deliveredBytes)} />
        <Total label="Webhook events" value={compact(all.webhooks)} />
      </dl>
      <Card title="Messages a day">
        <Bars
          title="Messages a day"
          summary={summaryOf(days, all)}
          parts={["published", "delivered"]}
          bars={days.map((day) => ({ label: day.day, parts: [day.published, day.delivered] }))}
          format={number}
        />
      </Card>
      <Table
        label="Usage by day and app"
        rows={props.usage}
        rowKey={({ day, appId }) => `${day} ${appId}`}
        columns={[
          { title: "Day", isHead: true, cell: ({ day }) => day },
          { title: "App", cell: ({ appId }) => <code>{appId}</code> },
          { title: "Messages", isNumber: true, cell: ({ messages }) => number(messages) },
          { title: "Published", isNumber: true, cell: ({ published }) => number(published) },
          { title: "Delivered", isNumber: true, cell: ({ delivered }) => number(delivered) },
          { title: "Delivered data", isNumber: true, cell: ({ deliveredBytes }) => bytes(deliveredBytes) },
          { title: "Most connections", isNumber: true, cell: ({ connectionsPeak }) => number(connectionsPeak) },
          { title: "Webhook events", isNumber: true, cell: ({ webhooks }) => number(webhooks) },
        ]}
      />
    </>
  );
}

function Total(props: { label: string; value: string }) {
  return (
    <div class="figure">
      <dt>{props.label}</dt>
      <dd>{props.value}</dd>
    </div>
  );
}

const summaryOf = (days: DayTotal[], all: DayTotal): string =>
  `${number(all.published)} published and ${number(all.delivered)} delivered in ${days.length} days; the table below has each.`;

function download(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}
