/** A client in the page: pusher-js, which is loaded when it is wanted. */

/** How far it has come. */
export type SubscriberState = "connecting" | "connected" | "subscribed" | "away" | "refused";

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
  pusher.connection.bind("error", (error: { data?: { message?: string } }) => {
    if (error.data?.message) handlers.onState("refused", error.data.message);
  });
  const channel = pusher.subscribe(channelName);
  channel.bind("pusher:subscription_succeeded", () => handlers.onState("subscribed"));
  channel.bind_global((name: string, data: unknown) => {
    if (!name.startsWith("pusher:")) handlers.onEvent(name, data);
  });
  return () => pusher.disconnect();
}
