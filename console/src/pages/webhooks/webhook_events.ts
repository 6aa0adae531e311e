import type { WebhookEventName } from "../../api/administration";

/** The events a webhook may want, and when they happen. */
export const WEBHOOK_EVENTS: readonly [WebhookEventName, string][] = [
  ["channel_occupied", "Somebody subscribes to a channel on which nobody was."],
  ["channel_vacated", "Nobody is on a channel any more."],
  ["member_added", "A user comes to a presence channel."],
  ["member_removed", "The user's last connection has left it."],
  ["client_event", "A client sends a client event."],
  ["cache_miss", "Somebody subscribes to a cache channel that keeps no event."],
  ["subscription_count", "The number of subscribers changes; for apps with subscription counts on."],
];
