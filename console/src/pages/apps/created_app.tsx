import { useLocation } from "wouter-preact";
import type { CreatedApp } from "../../api/administration";
import { Button } from "../../components/button";
import { NewSecret } from "../../components/new_secret";
import { Snippets } from "../../components/snippets/lazy";

/** An app that was just made, with its first key and what to do with it. */
export function CreatedAppCard(props: { app: CreatedApp; onDone: () => void }) {
  const [, navigate] = useLocation();
  const { id, key } = props.app;
  return (
    <NewSecret
      title={`The app ${id} is there`}
      values={[
        { label: "App id", value: id },
        { label: "Key", value: key.key },
        { label: "Secret", value: key.secret },
      ]}
      onDone={props.onDone}
      done="Stay here"
      actions={
        <Button look="primary" onPress={() => navigate(`/apps/${encodeURIComponent(id)}`)}>
          Go to the app
        </Button>
      }
    >
      <h3>Use it</h3>
      <Snippets appId={id} appKey={key.key} secret={key.secret} />
    </NewSecret>
  );
}
