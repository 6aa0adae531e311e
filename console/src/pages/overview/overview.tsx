import { useState } from "preact/hooks";
import { Link } from "wouter-preact";
import { get } from "../../api/client";
import type { Stats } from "../../api/inspection";
import { Code } from "../../components/code";
import { Figure, FigureList } from "../../components/figure";
import { Loading } from "../../components/loading";
import { Empty, Page } from "../../components/page";
import { StreamBadge } from "../../components/stream_badge";
import { bytes, milliseconds, number } from "../../format";
import { isOwner } from "../../state/session";
import { type Figures, type Grain, useFigures } from "../../state/use_figures";
import { useLoaded } from "../../state/use_loaded";
import { BusiestApps } from "./busiest_apps";
import { ChartsSection } from "./charts_section";

const STATS_MS = 5000;

/** How the whole server does, now and before. */
export function Overview() {
  const [grain, setGrain] = useState<Grain>("second");
  const figures = useFigures(null, grain);
  const stats = useLoaded((signal) => get<Stats>("/stats", {}, signal), [], STATS_MS);
  return (
    <Page title="Overview" lead={<NodeCount figures={figures} />} actions={<StreamBadge state={figures.stream} />}>
      <ServerFigures figures={figures} />
      {stats.value?.apps.length === 0 && <NoApps />}
      <ChartsSection figures={figures} grain={grain} onGrain={setGrain} ofServer />
      <section class="stack" aria-label="Apps">
        <div class="row apart">
          <h2>Busiest apps</h2>
          <Link href="/apps">All apps</Link>
        </div>
        <Loading of={stats}>{({ apps }) => <BusiestApps apps={apps} />}</Loading>
      </section>
    </Page>
  );
}

function NodeCount({ figures }: { figures: Figures }) {
  const nodes = figures.latest?.nodes;
  return (
    <>
      All apps on{" "}
      <Link href="/nodes">{nodes === undefined ? "all nodes" : nodes === 1 ? "one node" : `${nodes} nodes`}</Link>.
    </>
  );
}

function ServerFigures({ figures: { latest } }: { figures: Figures }) {
  const known = latest ?? null;
  return (
    <FigureList>
      <Figure name="Connections" value={number(known?.connections ?? null)} />
      <Figure name="Channels" value={number(known?.channels ?? null)} />
      <Figure name="Published a second" value={number(known?.published ?? null)} />
      <Figure
        name="Delivered a second"
        value={number(known?.delivered ?? null)}
        note={known && bytes(known.deliveredBytes)}
      />
      <Figure name="Latency, half within" value={milliseconds(known?.p50Ms ?? null)} />
      <Figure name="Latency, 99 % within" value={milliseconds(known?.p99Ms ?? null)} />
      <Figure name="Slow consumers" value={number(known?.slowConsumers ?? null)} note="cut off in this second" />
      <Figure
        name="Webhook events waiting"
        value={number(known?.webhooksWaiting ?? null)}
        note={known?.webhookLagMs ? `the oldest for ${milliseconds(known.webhookLagMs)}` : null}
      />
    </FigureList>
  );
}

function NoApps() {
  if (isOwner.value) {
    return (
      <Empty
        title="Make your first app"
        action={
          <Link class="button primary" href="/apps">
            Make an app
          </Link>
        }
      >
        An app has a key that clients connect with, and a secret that your back end publishes with. Its own page then
        leads you to a first event.
      </Empty>
    );
  }
  return (
    <Empty title="There is no app yet" action={<Code text="skubber apps create my-app" what="the command" />}>
      Your token may only look. An owner makes apps here, or where the server runs.
    </Empty>
  );
}
