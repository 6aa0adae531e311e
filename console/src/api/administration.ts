/** What the admin API takes and answers about keys, webhooks, plans, usage, tokens and the audit log. */

import type { AdminToken, AppDetails, KeyDetails, Limits, Page } from "./types";

/** What an API key may be used for. */
export type Scope = "publish" | "read" | "admin" | "connect";

/** A key as the list of keys has it. */
export interface ApiKey extends KeyDetails {
  appId: string;
  /** Until when the secret before is good, too. */
  previousSecretUntil: string | null;
}

/** A key with its secret, which is told this once. */
export interface NewKey extends ApiKey {
  secret: string;
}

export interface CreatedApp extends AppDetails {
  key: NewKey;
}

/** An app right now. */
export interface AppStats {
  appId: string;
  connections: number;
  channels: number;
  messagesToday: number;
}

export type WebhookEventName =
  | "channel_occupied"
  | "channel_vacated"
  | "member_added"
  | "member_removed"
  | "client_event"
  | "cache_miss"
  | "subscription_count";

export interface WebhookDetails {
  id: string;
  appId: string;
  url: string;
  events: WebhookEventName[];
  channelPrefix: string;
  /** The values are never told again. */
  headerNames: string[];
  isBatched: boolean;
  enabled: boolean;
  createdAt: string | null;
}

/** How delivery to a webhook stands. */
export interface DeliveryStatus {
  waiting: number;
  deadLetters: number;
  failures: number;
  retryAt: string | null;
  lastAttemptAt: string | null;
  lastOutcome: string | null;
}

/** How a test went. */
export interface WebhookTest {
  delivered: boolean;
  outcome: string;
  milliseconds: number;
  /** The request's body. */
  body: string;
}

export interface DeliveryAttempt {
  id: number;
  at: string;
  delivered: boolean;
  outcome: string;
  milliseconds: number;
  eventCount: number;
  events: string[];
}

export interface AttemptPage extends Page {
  attempts: DeliveryAttempt[];
}

/** An event that was given up. */
export interface DeadLetter {
  id: number;
  event: Record<string, unknown>;
  happenedAt: string;
  deadAt: string | null;
  attempts: number;
  error: string;
}

export interface DeadLetterPage extends Page {
  deadLetters: DeadLetter[];
}

export interface PlanDetails {
  name: string;
  source: "database" | "configuration";
  limits: Limits;
}

/** What an app used on a day (UTC). */
export interface UsageDay {
  appId: string;
  day: string;
  messages: number;
  published: number;
  delivered: number;
  deliveredBytes: number;
  connectionsPeak: number;
  webhooks: number;
}

/** An admin token with the token itself, which is told this once. */
export interface NewAdminToken extends AdminToken {
  token: string;
}

export interface AuditEntry {
  id: number;
  at: string;
  actor: string;
  action: string;
  subject: string;
  details: Record<string, unknown>;
}

export interface AuditPage extends Page {
  entries: AuditEntry[];
}
