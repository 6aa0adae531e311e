import { useState } from "preact/hooks";
import { Link } from "wouter-preact";
import { get } from "../../api/client";
import type { AppStats, CreatedApp } from "../../api/administration";
import type { AppDetails, AppPage } from "../../api/types";
import { Badge } from "../../components/badge";
import { Button } from "../../components/button";
import { Code } from "../../components/code";
import { TextField } from "../../components/field";
import { Empty, Page } from "../../components/page";
import { PagedList } from "../../components/paged";
import { Table } from "../../components/table";
import { number } from "../../format";
import { isOwner } from "../../state/session";
import { useLoaded } from "../../state/use_loaded";
import { usePaged } from "../../state/use_paged";
import { CreateApp } from "./create_app";
import { CreatedAppCard } from "./created_app";

const STATS_EVERY_MS = 5000;

/** All apps: a search, how each fares, and a way to make one. */
export function Apps() {
  const [isCreating, setIsCreating] = useState(false);
  const [created, setCreated] = useState<CreatedApp>();
  const apps = usePaged<AppDetails>(async (after, signal) => {
    const page = await get<AppPage>("/apps", { limit: 200, after }, signal);
    return { rows: page.apps, next: page.next };
  }, []);
  const create = isOwner.value && (
    <Button look="primary" onPress={() => setIsCreating(true)}>
      Create an app
    </Button>
  );
  const finish = (app: CreatedApp): void => {
    setIsCreating(false);
    setCreated(app);
    apps.reload();
  };
  return (
    <Page title="Apps" lead="An app has its own keys, channels and limits. Nothing crosses from one to another." actions={create}>
      {created && <CreatedAppCard app={created} onDone={() => setCreated(undefined)} />}
      <PagedList of={apps}>
        {(rows) => (rows.length === 0 ? <NoApps /> : <AppTable apps={rows} isPart={apps.loadMore !== null} />)}
      </PagedList>
      {isCreating && <CreateApp onCreated={finish} onClose={() => setIsCreating(false)} />}
    </Page>
  );
}

function NoApps() {
  return (
    <Empty title="There is no app yet" action={<Code text="skubber apps create my-app" what="the command" />}>
      {isOwner.value ? "Press “Create an app” above" : "An owner can create one here"}, or make one where the server runs.
      It has a key and a secret to publish and to connect with at once.
    </Empty>
  );
}

function AppTable(props: { apps: AppDetails[]; isPart: boolean }) {
  const [search, setSearch] = useState("");
  const stats = useLoaded((signal) => get<{ apps: AppStats[] }>("/stats", {}, signal), [], STATS_EVERY_MS);
  const now = new Map(stats.value?.apps.map((each) => [each.appId, each]));
  const wanted = search.trim().toLowerCase();
  const shown = props.apps.filter(({ id, plan }) => `${id} ${plan}`.toLowerCase().includes(wanted));
  return (
    <>
      <div class="filters">
        <TextField
          label="Search"
          type="search"
          value={search}
          onChange={setSearch}
          placeholder="Id or plan"
          {...(props.isPart ? { hint: "Among the apps loaded so far." } : {})}
        />
      </div>
      {shown.length === 0 ? (
        <p class="muted" role="status">
          No app's id or plan has “{search}” in it.
        </p>
      ) : (
        <Table label="Apps" rows={shown} rowKey={(app) => app.id} columns={columns(now)} />
      )}
    </>
  );
}

function columns(now: Map<string, AppStats>) {
  const figure = (app: AppDetails, name: "connections" | "channels" | "messagesToday"): string =>
    number(now.get(app.id)?.[name] ?? null);
  return [
    {
      title: "App",
      isHead: true,
      cell: (app: AppDetails) => (
        <Link class="mono" href={`/apps/${encodeURIComponent(app.id)}`}>
          {app.id}
        </Link>
      ),
    },
    { title: "Plan", cell: (app: AppDetails) => app.plan },
    { title: "State", cell: (app: AppDetails) => <AppState app={app} /> },
    { title: "Connections now", isNumber: true, cell: (app: AppDetails) => figure(app, "connections") },
    { title: "Channels now", isNumber: true, cell: (app: AppDetails) => figure(app, "channels") },
    { title: "Messages today", isNumber: true, cell: (app: AppDetails) => figure(app, "messagesToday") },
  ];
}

function AppState(props: { app: AppDetails }) {
  return (
    <span class="row">
      <Badge kind={props.app.enabled ? "good" : "bad"}>{props.app.enabled ? "Enabled" : "Disabled"}</Badge>
      {props.app.source === "configuration" && <Badge>Configured</Badge>}
    </span>
  );
}
