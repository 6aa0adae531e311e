/** Commands that do over the Channels API what the console has done. */

import type { Publication } from "./api/inspection";

/**
 * A command that publishes an event.
 *
 * @param key the app's key; without it a placeholder stands in its place, as it always does in the secret's.
 */
export function publishCommand(appId: string, publication: Publication, key = "YOUR_KEY"): string {
  const { channels, name, data, socketId } = publication;
  const body = { name, channels, data, ...(socketId === null ? {} : { socket_id: socketId }) };
  return [
    `curl ${quoted(`${location.origin}/apps/${encodeURIComponent(appId)}/events`)}`,
    `-H ${quoted(`X-Api-Key: ${key}`)}`,
    `-H ${quoted("X-Api-Secret: YOUR_SECRET")}`,
    `-H ${quoted("Content-Type: application/json")}`,
    `--data-raw ${quoted(JSON.stringify(body))}`,
  ].join(" \\\n  ");
}

/** A word for a POSIX shell, whatever is in it. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
