import { SnippetChoice } from "./choice";
import { snippets } from "./snippets";

/** What to run with an app and a key, on the server this page comes from. */
export default function AppSnippets(props: { appId: string; appKey: string; secret: string | null }) {
  const isTls = location.protocol === "https:";
  const port = location.port === "" ? (isTls ? 443 : 80) : Number(location.port);
  return (
    <SnippetChoice
      label="Languages"
      snippets={snippets({
        appId: props.appId,
        key: props.appKey,
        secret: props.secret,
        host: location.hostname,
        port,
        isTls,
      })}
    />
  );
}
