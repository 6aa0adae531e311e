import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { tellError } from "../toasts";

/** A component whose code is fetched when it is first shown: few who open the console need it at once. */
function lazy<Props extends object>(load: () => Promise<{ default: ComponentType<Props> }>): ComponentType<Props> {
  return function Lazy(props: Props) {
    const [Loaded, setLoaded] = useState<ComponentType<Props>>();
    useEffect(() => {
      load().then(({ default: component }) => setLoaded(() => component), tellError);
    }, []);
    if (Loaded) return <Loaded {...props} />;
    return (
      <p class="muted snippets-wait" role="status">
        Loading …
      </p>
    );
  };
}

/** What to run with an app and a key; `secret` is null where it is not known any more. */
export const Snippets = lazy<{ appId: string; appKey: string; secret: string | null }>(() => import("./app_snippets"));

/** How a back end checks the signature of a webhook. */
export const WebhookVerification = lazy<object>(() => import("./verification"));
