import { useState } from "preact/hooks";
import type { ApiKey, NewKey } from "../../api/administration";
import { get, path } from "../../api/client";
import type { AppDetails } from "../../api/types";
import { Button } from "../../components/button";
import { Configured } from "../../components/configured";
import { Select } from "../../components/field";
import { Loading } from "../../components/loading";
import { NewSecret } from "../../components/new_secret";
import { Card, Empty, Page } from "../../components/page";
import { Snippets } from "../../components/snippets/lazy";
import { isOwner } from "../../state/session";
import { useLoaded } from "../../state/use_loaded";
import { KeyDialog, RotateDialog } from "./key_dialogs";
import { isGood, KeyTable } from "./key_table";

type Open = { kind: "create" } | { kind: "edit" | "rotate"; key: ApiKey } | null;

/** The keys of an app, and what to run with them. */
export function Keys(props: { params: { appId: string } }) {
  const { appId } = props.params;
  const [open, setOpen] = useState<Open>(null);
  const [made, setMade] = useState<NewKey>();
  const app = useLoaded((signal) => get<AppDetails>(path`/apps/${appId}`, {}, signal), [appId]);
  const keys = useLoaded((signal) => get<{ keys: ApiKey[] }>(path`/apps/${appId}/keys`, {}, signal), [appId]);
  const isConfigured = app.value?.source === "configuration";
  const canChange = isOwner.value && app.value?.source === "database";
  const close = (): void => setOpen(null);
  const finish = (key?: NewKey): void => {
    close();
    if (key) setMade(key);
    keys.reload();
  };
  return (
    <Page
      title="Keys"
      lead="Back ends publish with a key and its secret; clients connect with the key alone."
      actions={canChange && <Button look="primary" onPress={() => setOpen({ kind: "create" })}>Create a key</Button>}
    >
      {isConfigured && <Configured what="its keys" />}
      {made && (
        <NewSecret
          key={made.secret}
          title="The key has a new secret"
          values={[
            { label: "Key", value: made.key },
            { label: "Secret", value: made.secret },
          ]}
          onDone={() => setMade(undefined)}
        />
      )}
      <Loading of={keys}>
        {(list) => (
          <>
            {list.keys.length === 0 ? (
              <Empty title="The app has no key">Without one nobody can publish or connect. An owner can make one.</Empty>
            ) : (
              <KeyTable
                keys={list.keys}
                canChange={canChange}
                onEdit={(key) => setOpen({ kind: "edit", key })}
                onRotate={(key) => setOpen({ kind: "rotate", key })}
                onRevoked={keys.reload}
              />
            )}
            <UseIt appId={appId} keys={list.keys.filter(isGood)} made={made} />
          </>
        )}
      </Loading>
      {(open?.kind === "create" || open?.kind === "edit") && (
        <KeyDialog
          appId={appId}
          {...(open.kind === "edit" ? { changed: open.key } : {})}
          onCreated={finish}
          onChanged={() => finish()}
          onClose={close}
        />
      )}
      {open?.kind === "rotate" && <RotateDialog rotated={open.key} onRotated={finish} onClose={close} />}
    </Page>
  );
}

function UseIt(props: { appId: string; keys: ApiKey[]; made: NewKey | undefined }) {
  const [chosen, setChosen] = useState<string>();
  const key = [chosen, props.made?.key].find((each) => props.keys.some((good) => good.key === each)) ?? props.keys[0]?.key;
  if (key === undefined) return null;
  const secret = props.made?.key === key ? props.made.secret : null;
  return (
    <Card title="Use it">
      {props.keys.length > 1 && (
        <Select
          label="With the key"
          value={key}
          options={props.keys.map((each) => ({ value: each.key, text: each.name ? `${each.name} (${each.key})` : each.key }))}
          onChange={setChosen}
        />
      )}
      {secret === null && (
        <p class="muted">The server keeps the secret encrypted and shows it to nobody again: put yours in its place.</p>
      )}
      <Snippets appId={props.appId} appKey={key} secret={secret} />
    </Card>
  );
}
