import { Link } from "wouter-preact";
import { get } from "../../api/client";
import type { AppPage } from "../../api/types";
import { Badge } from "../../components/badge";
import { Loading } from "../../components/loading";
import { Page } from "../../components/page";
import { Table } from "../../components/table";
import { useLoaded } from "../../state/use_loaded";

/** All apps. */
export function Apps() {
  const apps = useLoaded((signal) => get<AppPage>("/apps", { limit: 200 }, signal), []);
  return (
    <Page title="Apps" lead="An app has its own keys, channels and limits.">
      <Loading of={apps}>
        {(page) => (
          <Table
            label="Apps"
            rows={page.apps}
            rowKey={(app) => app.id}
            columns={[
              { title: "App", isHead: true, cell: (app) => <Link href={`/apps/${app.id}`}>{app.id}</Link> },
              { title: "Plan", cell: (app) => app.plan },
              { title: "State", cell: (app) => <Badge kind={app.enabled ? "good" : "bad"}>{app.enabled ? "Enabled" : "Disabled"}</Badge> },
            ]}
          />
        )}
      </Loading>
    </Page>
  );
}
