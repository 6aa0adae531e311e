import { useState } from "preact/hooks";
import type { NewAdminToken } from "../../api/administration";
import { get, path, post, remove } from "../../api/client";
import type { AdminToken, Role } from "../../api/types";
import { Badge } from "../../components/badge";
import { Button } from "../../components/button";
import { ConfirmButton } from "../../components/dialog";
import { endOfDay, ExpiryField } from "../../components/expiry";
import { Select, TextField } from "../../components/field";
import { FormDialog } from "../../components/form_dialog";
import { Loading } from "../../components/loading";
import { NewSecret } from "../../components/new_secret";
import { Page } from "../../components/page";
import { Table } from "../../components/table";
import { Time } from "../../components/time";
import { tell } from "../../components/toasts";
import { isOwner, me } from "../../state/session";
import { useLoaded } from "../../state/use_loaded";

/** Who may use the console and the admin API. */
export function Tokens() {
  const [isCreating, setIsCreating] = useState(false);
  const [made, setMade] = useState<NewAdminToken>();
  const tokens = useLoaded((signal) => get<{ tokens: AdminToken[] }>("/tokens", {}, signal), []);
  const finish = (token: NewAdminToken): void => {
    setIsCreating(false);
    setMade(token);
    tokens.reload();
  };
  return (
    <Page
      title="Admin tokens"
      lead="Who holds one may sign in here and call the admin API. Give each person and program one of its own."
      actions={
        isOwner.value && (
          <Button look="primary" onPress={() => setIsCreating(true)}>
            Create a token
          </Button>
        )
      }
    >
      {made && (
        <NewSecret
          key={made.id}
          title={`The token ${made.name} is there`}
          values={[{ label: "Token", value: made.token }]}
          onDone={() => setMade(undefined)}
        />
      )}
      <Loading of={tokens}>{(list) => <TokenTable tokens={list.tokens} onRevoked={tokens.reload} />}</Loading>
      {isCreating && <CreateToken onCreated={finish} onClose={() => setIsCreating(false)} />}
    </Page>
  );
}

function TokenTable(props: { tokens: AdminToken[]; onRevoked: () => void }) {
  const revoke = async ({ id }: AdminToken): Promise<void> => {
    await remove(path`/tokens/${id}`);
    tell("The token is revoked.");
    props.onRevoked();
  };
  const columns = [
    {
      title: "Name",
      isHead: true,
      cell: (token: AdminToken) => (
        <span class="row">
          {token.name}
          {token.id === me.value?.id && <Badge kind="good">You</Badge>}
        </span>
      ),
    },
    { title: "Role", cell: ({ role }: AdminToken) => (role === "owner" ? "Owner" : "Read-only") },
    { title: "Created", cell: ({ createdAt }: AdminToken) => <Time at={createdAt} /> },
    { title: "Last used", cell: ({ lastUsedAt }: AdminToken) => <Time at={lastUsedAt} none="Never" /> },
    { title: "Expires", cell: ({ expiresAt }: AdminToken) => <Time at={expiresAt} none="Never" /> },
  ];
  const actions = {
    title: "Actions",
    cell: (token: AdminToken) => (
      <ConfirmButton
        small
        label={`Revoke ${token.name}`}
        question={`Revoke the token ${token.name}?`}
        explanation={
          token.id === me.value?.id
            ? "It is the one you are signed in with: you will be signed out at once."
            : "It is good for nothing any more, and whoever is signed in with it is signed out."
        }
        confirm="Revoke the token"
        onConfirm={() => revoke(token)}
      >
        Revoke
      </ConfirmButton>
    ),
  };
  return (
    <Table
      label="Admin tokens"
      rows={props.tokens}
      rowKey={({ id }) => id}
      columns={isOwner.value ? [...columns, actions] : columns}
    />
  );
}

const ROLES: { value: Role; text: string }[] = [
  { value: "read_only", text: "Read-only: looks at everything, changes nothing" },
  { value: "owner", text: "Owner: may do everything" },
];

function CreateToken(props: { onCreated: (token: NewAdminToken) => void; onClose: () => void }) {
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("read_only");
  const [day, setDay] = useState("");
  const submit = async (): Promise<void> => {
    props.onCreated(await post<NewAdminToken>("/tokens", { name, role, expiresAt: endOfDay(day) }));
  };
  return (
    <FormDialog title="Create a token" submit="Create the token" onSubmit={submit} onClose={props.onClose}>
      <TextField label="Name" value={name} onChange={setName} required autoFocus hint="Whose it is. It is on the audit log." />
      <Select label="Role" value={role} options={ROLES} onChange={setRole} />
      <ExpiryField value={day} onChange={setDay} />
    </FormDialog>
  );
}
