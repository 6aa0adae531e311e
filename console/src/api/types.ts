/** What the admin API takes and answers; see /docs for each call. Times are ISO 8601 in UTC unless said otherwise. */

export type Role = "owner" | "read_only";

export interface AdminToken {
  id: string;
  name: string;
  role: Role;
  createdAt: string | null;
  expiresAt: string | null;
  lastUsedAt: string | null;
}

export type Limits = Record<string, number>;

export interface AppDetails {
  id: string;
  source: "database" | "configuration";
  plan: string;
  enabled: boolean;
  clientEvents: boolean;
  subscriptionCounts: boolean;
  requiresSignIn: boolean;
  tlsOnly: boolean;
  limits: Limits;
  effectiveLimits: Limits;
  createdAt: string | null;
}

export interface Page {
  next: string | number | null;
}

export interface AppPage extends Page {
  apps: AppDetails[];
}

export interface KeyDetails {
  key: string;
  name: string;
  scopes: string[];
  createdAt: string | null;
  expiresAt: string | null;
  revokedAt: string | null;
  lastUsedAt: string | null;
}

export interface Sample {
  /** Seconds since the epoch. */
  at: number;
  nodes: number;
  connections: number;
  channels: number;
  published: number;
  delivered: number;
  deliveredBytes: number;
  p50Ms: number | null;
  p99Ms: number | null;
  slowConsumers: number | null;
  webhooksWaiting: number | null;
  webhookLagMs: number | null;
}

type Column = (number | null)[];

/** Columns of equal length, the oldest first; null where nothing is known. */
export interface History {
  grain: 1 | 3600;
  at: number[];
  connections: Column;
  channels: Column;
  published: Column;
  delivered: Column;
  deliveredBytes: Column;
  p50Ms: Column;
  p99Ms: Column;
  slowConsumers: Column;
  webhooksWaiting: Column;
  webhookLagMs: Column;
}

export interface ServerNode {
  id: string;
  host: string;
  pid: number;
  version: string;
  startedAt: string;
  isThis: boolean;
  isDraining: boolean;
  connections: number;
  channels: number;
  publishedPerSecond: number;
  deliveredPerSecond: number;
  loopDelayMs: number;
  memoryBytes: number;
  slowConsumers: number;
  protocols: { protocol: string; transport: string; connections: number }[];
}

export interface ChannelSummary {
  name: string;
  kind: string;
  subscriptionCount: number;
  userCount: number | null;
}

export interface ChannelDetails extends ChannelSummary {
  members: { userId: string; userInfo: unknown }[];
  keptEvent: { name: string; data: string; expiresInSeconds: number } | null;
}

export interface ConnectionSummary {
  socketId: string;
  node: string;
  host: string;
  protocol: string;
  transport: string;
  openedAt: string;
  userId: string | null;
  key: string;
  channelCount: number;
}

export interface ConnectionDetails extends ConnectionSummary {
  address: string | null;
  channels: { name: string; userId: string | null }[];
  bytesSent: number | null;
  bytesReceived: number | null;
  roundTripMs: number | null;
  bufferedBytes: number;
  lastHeardAt: string;
}

export type ObservationKind =
  | "publish"
  | "client_event"
  | "connected"
  | "disconnected"
  | "subscribed"
  | "unsubscribed"
  | "member_added"
  | "member_removed"
  | "channel_occupied"
  | "channel_vacated"
  | "signed_in"
  | "webhook"
  | "error";

export interface Observation {
  /** Milliseconds since the epoch. */
  at: number;
  node: string;
  kind: ObservationKind;
  channels: string[];
  event: string | null;
  data: string | null;
  isCut: boolean;
  socketId: string | null;
  userId: string | null;
  detail: string | null;
  code: string | null;
}
