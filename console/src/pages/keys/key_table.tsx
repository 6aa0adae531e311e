import type { ApiKey } from "../../api/administration";
import { path, remove } from "../../api/client";
import { Badge } from "../../components/badge";
import { Button } from "../../components/button";
import { CopyButton } from "../../components/code";
import { ConfirmButton } from "../../components/dialog";
import { Table } from "../../components/table";
import { Time } from "../../components/time";
import { tell } from "../../components/toasts";

/** Whether a key is good for anything now. */
export const isGood = ({ revokedAt, expiresAt }: ApiKey): boolean =>
  revokedAt === null && (expiresAt === null || Date.parse(expiresAt) > Date.now());

/** The keys of an app; without `canChange` there are no buttons. */
export function KeyTable(props: {
  keys: ApiKey[];
  canChange: boolean;
  onEdit: (key: ApiKey) => void;
  onRotate: (key: ApiKey) => void;
  onRevoked: () => void;
}) {
  const revoke = async (key: ApiKey): Promise<void> => {
    await remove(path`/apps/${key.appId}/keys/${key.key}`);
    tell("The key is revoked.");
    props.onRevoked();
  };
  const columns = [
    { title: "Key", isHead: true, cell: (key: ApiKey) => <KeyName of={key} /> },
    { title: "State", cell: (key: ApiKey) => <KeyState of={key} /> },
    { title: "Scopes", cell: (key: ApiKey) => key.scopes.join(", ") },
    { title: "Created", cell: (key: ApiKey) => <Time at={key.createdAt} /> },
    { title: "Last used", cell: (key: ApiKey) => <Time at={key.lastUsedAt} none="Never" /> },
  ];
  const actions = {
    title: "Actions",
    cell: (key: ApiKey) =>
      key.revokedAt === null && (
        <span class="row">
          <Button small label={`Edit ${key.key}`} onPress={() => props.onEdit(key)}>
            Edit
          </Button>
          <Button small label={`Rotate ${key.key}`} onPress={() => props.onRotate(key)}>
            Rotate
          </Button>
          <ConfirmButton
            small
            label={`Revoke ${key.key}`}
            question="Revoke this key?"
            explanation={`Within a second every connection that was made with it ends, and nothing can be published with it. It cannot be undone: ${key.key}`}
            confirm="Revoke the key"
            onConfirm={() => revoke(key)}
          >
            Revoke
          </ConfirmButton>
        </span>
      ),
  };
  return (
    <Table
      label="Keys"
      rows={props.keys}
      rowKey={(key) => key.key}
      columns={props.canChange ? [...columns, actions] : columns}
    />
  );
}

function KeyName(props: { of: ApiKey }) {
  const { key, name } = props.of;
  return (
    <div class={props.of.revokedAt === null ? "lines" : "lines revoked"}>
      {name && <span>{name}</span>}
      <code class="unbroken">{key}</code>
      <CopyButton text={key} what={`the key ${key}`} />
    </div>
  );
}

function KeyState(props: { of: ApiKey }) {
  const { revokedAt, expiresAt, previousSecretUntil } = props.of;
  if (revokedAt !== null) {
    return (
      <span>
        <Badge kind="bad">Revoked</Badge> <Time at={revokedAt} />
      </span>
    );
  }
  const hasOldSecret = previousSecretUntil !== null && Date.parse(previousSecretUntil) > Date.now();
  return (
    <div class="lines">
      <span>
        <Badge kind={isGood(props.of) ? "good" : "bad"}>{isGood(props.of) ? "Good" : "Expired"}</Badge>
      </span>
      {expiresAt !== null && (
        <span class="muted">
          Expires <Time at={expiresAt} />
        </span>
      )}
      {hasOldSecret && (
        <span class="muted">
          Old secret good until <Time at={previousSecretUntil} />
        </span>
      )}
    </div>
  );
}
