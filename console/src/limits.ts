/** The limits a plan or an app may set, in the order in which people think of them. */

export interface LimitMeaning {
  /** As the API names it. */
  name: string;
  label: string;
  unit: string;
  meaning: string;
  /** Whether 0 is allowed, and what it stands for. */
  zero: "no limit" | "none" | null;
}

const limit = (name: string, label: string, unit: string, meaning: string, zero: LimitMeaning["zero"]): LimitMeaning => ({
  name,
  label,
  unit,
  meaning,
  zero,
});

/** The groups of limits, each with its heading. */
export const LIMIT_GROUPS: readonly { title: string; limits: readonly LimitMeaning[] }[] = [
  {
    title: "Connections and channels",
    limits: [
      limit("connections", "Connections", "connections", "Open at a time, on all nodes together.", "no limit"),
      limit("channels", "Channels", "channels", "Occupied at a time.", "no limit"),
      limit(
        "subscriptions_per_connection",
        "Subscriptions of a connection",
        "channels",
        "Channels one connection may be subscribed to.",
        "no limit",
      ),
    ],
  },
  {
    title: "Messages and requests",
    limits: [
      limit(
        "messages_per_day",
        "Messages a day",
        "messages",
        "Published and delivered ones together, from midnight to midnight UTC.",
        "no limit",
      ),
      limit(
        "messages_per_second",
        "Messages a second",
        "messages",
        "Published ones, client events included, on all channels together.",
        "no limit",
      ),
      limit("publishes_per_second", "Publishes a second", "requests", "Requests that publish, to the HTTP API.", "no limit"),
      limit("reads_per_second", "Reads a second", "requests", "Other requests to the HTTP API.", "no limit"),
      limit(
        "client_events_per_second",
        "Client events a second",
        "events",
        "How many one connection may send.",
        "none",
      ),
    ],
  },
  {
    title: "Sizes of events",
    limits: [
      limit("event_data_bytes", "Data of an event", "bytes", "Longest data, in bytes of UTF-8.", null),
      limit("event_name_length", "Name of an event", "characters", "Longest name, in characters.", null),
      limit("channel_name_length", "Name of a channel", "characters", "Longest name, in characters.", null),
      limit("channels_per_event", "Channels of an event", "channels", "Channels one publish may name.", null),
      limit("events_per_batch", "Events of a batch", "events", "Events one batch request may hold.", null),
    ],
  },
  {
    title: "Presence and users",
    limits: [
      limit("presence_members", "Members of a presence channel", "users", "Distinct users on one channel.", null),
      limit("presence_user_id_length", "Id of a member", "characters", "Longest user id, in characters.", null),
      limit("presence_user_info_bytes", "Info of a member", "bytes", "Largest user info, in bytes of JSON.", null),
      limit("watchlist_users", "Users on a watchlist", "users", "How many users one user may watch.", "none"),
    ],
  },
];
