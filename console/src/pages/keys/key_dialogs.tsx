import { useState } from "preact/hooks";
import type { ApiKey, NewKey, Scope } from "../../api/administration";
import { patch, path, post } from "../../api/client";
import { dayOf, endOfDay, ExpiryField } from "../../components/expiry";
import { Select, TextField } from "../../components/field";
import { FormDialog } from "../../components/form_dialog";
import { ScopeFields, SCOPES } from "./scope_fields";

const OVERLAPS = [
  { value: "0", text: "Ends at once" },
  { value: "3600", text: "Stays good for an hour" },
  { value: "86400", text: "Stays good for a day" },
  { value: "604800", text: "Stays good for a week" },
  { value: "2592000", text: "Stays good for 30 days" },
];

/** The dialog that makes a key, or changes one that is given. */
export function KeyDialog(props: {
  appId: string;
  changed?: ApiKey;
  onCreated: (key: NewKey) => void;
  onChanged: () => void;
  onClose: () => void;
}) {
  const { changed } = props;
  const [name, setName] = useState(changed?.name ?? "");
  const [scopes, setScopes] = useState<Scope[]>((changed?.scopes as Scope[] | undefined) ?? SCOPES.map(([scope]) => scope));
  const [day, setDay] = useState(dayOf(changed?.expiresAt ?? null));
  const submit = async (): Promise<void> => {
    const given = { name, scopes };
    if (changed === undefined) {
      props.onCreated(await post<NewKey>(path`/apps/${props.appId}/keys`, { ...given, expiresAt: endOfDay(day) }));
      return;
    }
    const expiry = day === dayOf(changed.expiresAt) ? {} : { expiresAt: endOfDay(day) };
    await patch(path`/apps/${props.appId}/keys/${changed.key}`, { ...given, ...expiry });
    props.onChanged();
  };
  return (
    <FormDialog
      title={changed ? "Edit the key" : "Create a key"}
      submit={changed ? "Save" : "Create the key"}
      onSubmit={submit}
      onClose={props.onClose}
    >
      <TextField label="Name" value={name} onChange={setName} autoFocus hint="For people: where it is used, say." />
      <ScopeFields scopes={scopes} onChange={setScopes} />
      <ExpiryField value={day} onChange={setDay} />
    </FormDialog>
  );
}

/** The dialog that gives a key a new secret. */
export function RotateDialog(props: { rotated: ApiKey; onRotated: (key: NewKey) => void; onClose: () => void }) {
  const { appId, key } = props.rotated;
  const [overlap, setOverlap] = useState("86400");
  const submit = async (): Promise<void> => {
    props.onRotated(await post<NewKey>(path`/apps/${appId}/keys/${key}/rotate`, { overlap: Number(overlap) }));
  };
  return (
    <FormDialog title="Give the key a new secret?" submit="Make a new secret" onSubmit={submit} onClose={props.onClose}>
      <p>
        The key <code>{key}</code> stays as it is, and so do connections. Bring the new secret to your back ends while
        the old one is still good.
      </p>
      <Select label="The old secret" value={overlap} options={OVERLAPS} onChange={setOverlap} />
    </FormDialog>
  );
}
