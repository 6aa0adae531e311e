/** What the admin API answers about what goes on right now. Lists come in pages: `next` leads to the page after. */

import type { ChannelSummary, ConnectionSummary, Limits, ServerNode } from "./types";

/** A page of a list: `next` is for the page after it, `total` counts all of them. */
export interface ListPage {
  next: string | null;
  total: number;
}

export interface ChannelPage extends ListPage {
  channels: ChannelSummary[];
}

export interface ConnectionPage extends ListPage {
  connections: ConnectionSummary[];
}

export interface UserSummary {
  userId: string;
  connectionCount: number;
}

export interface UserPage extends ListPage {
  users: UserSummary[];
}

export interface NodeList {
  nodes: ServerNode[];
  /** How many did not answer. */
  silent: number;
}

export interface AppStats {
  appId: string;
  plan: string;
  enabled: boolean;
  connections: number;
  channels: number;
  messagesToday: number;
  limits: Limits;
}

export interface Stats {
  apps: AppStats[];
}

/** What is to be published. `data` is text, whatever it holds. */
export interface Publication {
  channels: string[];
  name: string;
  data: string;
  /** Who is left out, if anybody. */
  socketId: string | null;
}

/** On how many subscriptions of each channel a published event went out. */
export interface Published {
  channels: { name: string; subscriptionCount: number }[];
}
