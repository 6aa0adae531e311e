/** A client in the page: pusher-js, which is loaded when it is wanted. */

const NO_SUCH_APP = 4001;

// An app that was made a moment ago is not known to all servers yet: it takes them a second.
const MOST_TRIES = 10;
const PAUSE_MS = 500;

/** How far it has come. */
export type SubscriberState = "connecting" | "connected" | "subscribed" | "away" | "refused";

/** What pusher-js says of an error: one that is met while connecting is wrapped in another. */
interface Refusal {
  data?: { code?: number; message?: string };
  error?: { data?: { code?: number; message?: string } };
}

/** What it tells of. */
export interface SubscriberHandlers {
  /** With a sentence where something was refused. */
  onState: (state: SubscriberState, sentence?: string) => void;
  onEvent: (name: string, data: unknown) => void;
}

/**
 * Subscribe to a channel as an application's page does.
 *
 * @returns what ends it.
 */
export async function subscribe(key: string, channelName: string, handlers: SubscriberHandlers): Promise<() => void> {
  const { default: Pusher } = await import("pusher-js");
  const isSecure = location.protocol === "https:";
  const port = Number(location.port || (isSecure ? 443 : 80));
  const pusher = new Pusher(key, {
    cluster: "",
    wsHost: location.hostname,
    wsPort: port,
    wssPort: port,
    forceTLS: isSecure,
    enabledTransports: ["ws", "wss"],
    disableStats: true,
  });
  pusher.connection.bind("state_change", ({ current }: { current: string }) => {
    if (current === "connecting" || current === "connected") handlers.onState(current);
    else if (current !== "disconnected" && current !== "initialized") handlers.onState("away");
  });
  let tries = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  pusher.connection.bind("error", (said: Refusal) => {
    const data = said.data ?? said.error?.data;
    if (data?.code === NO_SUCH_APP && tries < MOST_TRIES) {
      tries += 1;
      timer = setTimeout(() => pusher.connect(), PAUSE_MS);
    } else if (data?.message) handlers.onState("refused", data.message);
  });
  const channel = pusher.subscribe(channelName);
  channel.bind("pusher:subscription_succeeded", () => handlers.onState("subscribed"));
  channel.bind_global((name: string, data: unknown) => {
    if (!name.startsWith("pusher:")) handlers.onEvent(name, data);
  });
  return () => {
    clearTimeout(timer);
    pusher.disconnect();
  };
}
