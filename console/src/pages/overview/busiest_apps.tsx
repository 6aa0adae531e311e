import { Link } from "wouter-preact";
import type { AppStats } from "../../api/inspection";
import { Badge } from "../../components/badge";
import { Table } from "../../components/table";
import { number } from "../../format";

const MOST_SHOWN = 10;

/** The apps with most connections; among equals those with most messages today. */
export function BusiestApps(props: { apps: AppStats[] }) {
  if (props.apps.length === 0) return <p class="muted">There is none yet.</p>;
  const busiest = props.apps
    .toSorted((one, other) => other.connections - one.connections || other.messagesToday - one.messagesToday)
    .slice(0, MOST_SHOWN);
  return (
    <Table
      label="Busiest apps"
      rows={busiest}
      rowKey={(app) => app.appId}
      columns={[
        {
          title: "App",
          isHead: true,
          cell: (app) => (
            <>
              <Link href={`/apps/${encodeURIComponent(app.appId)}`}>{app.appId}</Link>{" "}
              {!app.enabled && <Badge kind="bad">Disabled</Badge>}
            </>
          ),
        },
        { title: "Connections", isNumber: true, cell: (app) => number(app.connections) },
        { title: "Channels", isNumber: true, cell: (app) => number(app.channels) },
        { title: "Messages today", isNumber: true, cell: (app) => number(app.messagesToday) },
        { title: "Plan", cell: (app) => app.plan },
      ]}
    />
  );
}
