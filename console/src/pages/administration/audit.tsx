import { useState } from "preact/hooks";
import type { AuditEntry, AuditPage } from "../../api/administration";
import { get } from "../../api/client";
import type { AdminToken } from "../../api/types";
import { Code } from "../../components/code";
import { TextField } from "../../components/field";
import { Page } from "../../components/page";
import { PagedList } from "../../components/paged";
import { Table } from "../../components/table";
import { Time } from "../../components/time";
import { useLoaded } from "../../state/use_loaded";
import { usePaged } from "../../state/use_paged";

/** Who changed what, the newest first. */
export function Audit() {
  const [filter, setFilter] = useState("");
  const entries = usePaged<AuditEntry>(async (before, signal) => {
    const page = await get<AuditPage>("/audit", { limit: 100, before }, signal);
    return { rows: page.entries, next: page.next };
  }, []);
  const tokens = useLoaded((signal) => get<{ tokens: AdminToken[] }>("/tokens", {}, signal), []);
  const names = new Map(tokens.value?.tokens.map(({ id, name }) => [`token:${id}`, name]));
  return (
    <Page title="Audit log" lead="Who changed what: here, by the admin API, or on the command line. Secrets and payloads are not in it.">
      <div class="filters">
        <TextField
          label="Filter"
          type="search"
          value={filter}
          onChange={setFilter}
          placeholder="key.create, an app, a name …"
          hint="Among the entries loaded so far."
        />
      </div>
      <PagedList of={entries}>{(rows) => <Entries of={rows} names={names} filter={filter} />}</PagedList>
    </Page>
  );
}

function Entries(props: { of: AuditEntry[]; names: Map<string, string>; filter: string }) {
  const wanted = props.filter.trim().toLowerCase();
  const shown = props.of.filter((entry) => textOf(entry, props.names).includes(wanted));
  if (shown.length === 0) {
    return (
      <p class="muted" role="status">
        {props.of.length === 0 ? "Nothing was changed yet." : `No entry has “${props.filter}” in it.`}
      </p>
    );
  }
  return (
    <Table
      label="Changes"
      rows={shown}
      rowKey={({ id }) => id}
      columns={[
        { title: "When", isHead: true, cell: ({ at }) => <Time at={at} /> },
        { title: "Who", cell: ({ actor }) => <span title={actor}>{props.names.get(actor) ?? actor}</span> },
        { title: "What", cell: ({ action }) => <code class="unbroken">{action}</code> },
        { title: "Of", cell: ({ subject }) => <code>{subject}</code> },
        { title: "Details", cell: (entry) => <Details of={entry} /> },
      ]}
    />
  );
}

function Details(props: { of: AuditEntry }) {
  const { id, details } = props.of;
  if (Object.keys(details).length === 0) return <span class="muted">–</span>;
  return (
    <details>
      <summary>{Object.keys(details).join(", ")}</summary>
      <Code text={JSON.stringify(details, null, 2)} what={`the details of change ${id}`} />
    </details>
  );
}

function textOf({ actor, action, subject, details }: AuditEntry, names: Map<string, string>): string {
  return [actor, names.get(actor) ?? "", action, subject, JSON.stringify(details)].join(" ").toLowerCase();
}
