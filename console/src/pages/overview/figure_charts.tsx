import { Chart } from "../../components/chart";
import { bytes, compact, milliseconds, number } from "../../format";
import type { HistoryWindow } from "../../state/history_window";

/** The curves of the server or of an app; latency and webhooks are the server's alone. */
export function FigureCharts(props: { history: HistoryWindow; version: number; ofServer: boolean }) {
  const { columns, span } = props.history;
  const each = columns.grain === 1 ? "a second" : "an hour";
  const common = { at: columns.at, span, version: props.version };
  return (
    <div class="charts">
      <Chart
        {...common}
        title={`Messages ${each}`}
        series={[
          { label: "Published", values: columns.published },
          { label: "Delivered", values: columns.delivered },
        ]}
        format={compact}
        isWhole
      />
      <Chart
        {...common}
        title="Connections"
        series={[{ label: "Open", values: columns.connections }]}
        format={compact}
        isWhole
      />
      {props.ofServer && <LatencyChart {...props} />}
      <Chart
        {...common}
        title="Channels"
        series={[{ label: "Occupied", values: columns.channels }]}
        format={compact}
        isWhole
      />
      <Chart
        {...common}
        title={`Bytes delivered ${each}`}
        series={[{ label: "Delivered", values: columns.deliveredBytes }]}
        format={bytes}
      />
      {props.ofServer && (
        <Chart
          {...common}
          title="Webhook events waiting"
          series={[{ label: "Waiting", values: columns.webhooksWaiting }]}
          format={number}
          isWhole
        />
      )}
    </div>
  );
}

function LatencyChart({ history, version }: { history: HistoryWindow; version: number }) {
  return (
    <Chart
      at={history.columns.at}
      span={history.span}
      version={version}
      title="Publish latency"
      series={[
        { label: "Half within", values: history.columns.p50Ms },
        { label: "99 % within", values: history.columns.p99Ms },
      ]}
      format={milliseconds}
    />
  );
}
