import { useState } from "preact/hooks";
import { Link } from "wouter-preact";
import { appPage } from "../../addresses";
import { get, path } from "../../api/client";
import type { AppDetails, History } from "../../api/types";
import { Badge } from "../../components/badge";
import { Figure, FigureList } from "../../components/figure";
import { Loading } from "../../components/loading";
import { Page } from "../../components/page";
import { StreamBadge } from "../../components/stream_badge";
import { bytes, number } from "../../format";
import { type Grain, useFigures } from "../../state/use_figures";
import { useLoaded } from "../../state/use_loaded";
import { ChartsSection } from "./charts_section";
import { Onboarding } from "./onboarding";

/** How an app does, and the way to its first event. */
export function AppOverview({ appId }: { appId: string }) {
  const [grain, setGrain] = useState<Grain>("second");
  const app = useLoaded((signal) => get<AppDetails>(path`/apps/${appId}`, {}, signal), [appId]);
  const figures = useFigures(appId, grain);
  const known = figures.latest ?? null;
  return (
    <Page
      title={appId}
      lead={app.value && <AppState app={app.value} />}
      actions={<StreamBadge state={figures.stream} />}
    >
      <Loading of={app}>
        {() => (
          <>
            <FirstEvent appId={appId} />
            <FigureList>
              <Figure name="Connections" value={number(known?.connections ?? null)} />
              <Figure name="Channels" value={number(known?.channels ?? null)} />
              <Figure name="Published a second" value={number(known?.published ?? null)} />
              <Figure name="Delivered a second" value={number(known?.delivered ?? null)} />
              <Figure name="Delivered a second, size" value={bytes(known?.deliveredBytes ?? null)} />
            </FigureList>
            <ChartsSection figures={figures} grain={grain} onGrain={setGrain} ofServer={false} />
          </>
        )}
      </Loading>
    </Page>
  );
}

function AppState({ app }: { app: AppDetails }) {
  return (
    <>
      Plan {app.plan}. {!app.enabled && <Badge kind="bad">Disabled: nobody can connect or publish</Badge>}{" "}
      {app.source === "configuration" && (
        <>
          This app is in the configuration file. It can be changed only there, followed by a restart.
        </>
      )}
    </>
  );
}

/** Open while nothing was ever published in the app; later on it is folded away, and no subscriber runs. */
function FirstEvent({ appId }: { appId: string }) {
  const [isToggled, setIsToggled] = useState<boolean>();
  const history = useLoaded((signal) => hasTraffic(appId, signal), [appId]);
  if (history.value === undefined) return null;
  const isOpen = isToggled ?? !history.value;
  return (
    <details
      class="card fold"
      open={isOpen}
      onToggle={(event) => {
        setIsToggled(event.currentTarget.open);
      }}
    >
      <summary>{history.value ? "Try it out: send an event and see it arrive" : "Your first event"}</summary>
      {isOpen && (
        <div class="stack">
          <Onboarding appId={appId} />
          <nav class="row" aria-label="Next steps">
            <Link href={appPage(appId, ["keys"])}>Keys and code for your own program</Link>
            <Link href={appPage(appId, ["debug"])}>Debug console</Link>
            <a href="/docs">API documentation</a>
          </nav>
        </div>
      )}
    </details>
  );
}

async function hasTraffic(appId: string, signal: AbortSignal): Promise<boolean> {
  const history = await get<History>("/history", { grain: "hour", appId }, signal);
  return history.published.some((count) => count !== null && count > 0);
}
