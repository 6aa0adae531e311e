// Pusher's HMAC signatures, as the Pusher server SDKs make them: of an HTTP request, and of a client's subscription.
import { hexadecimal, md5 } from "./md5.js";

export const NO_WEB_CRYPTO =
  "Signing requests needs WebCrypto, which browsers give only to pages from https:// and from localhost. " +
  "Open this page so.";

/**
 * @param {string} method - upper case.
 * @param {URL} url - the request's, without any of the parameters that are added here.
 * @param {string} body - empty where there is none.
 * @param {string} key - the app's key.
 * @param {string} secret - the key's secret; it is not sent.
 * @returns {Promise<URL>} the URL to request instead.
 * @throws {Error} the browser has no WebCrypto.
 */
export async function signed(method, url, body, key, secret) {
  const result = new URL(url);
  const parameters = result.searchParams;
  parameters.set("auth_key", key);
  parameters.set("auth_timestamp", Math.floor(Date.now() / 1000));
  parameters.set("auth_version", "1.0");
  if (body) parameters.set("body_md5", md5(new TextEncoder().encode(body)));
  parameters.set("auth_signature", await hmacSha256(secret, textToSign(method, result)));
  return result;
}

/**
 * What a back end answers to a client that wants to subscribe to a private or a presence channel.
 *
 * @param {object} app - key and secret.
 * @param {string} socketId - the client's.
 * @param {string} channel
 * @param {object} user - who the client is on presence channels: user_id and user_info.
 * @returns {Promise<object>} auth, and on presence channels channel_data.
 * @throws {Error} the browser has no WebCrypto.
 */
export async function authorization({ key, secret }, socketId, channel, user) {
  const isPresence = channel.startsWith("presence-");
  const data = isPresence ? { channel_data: JSON.stringify(user) } : {};
  const text = [socketId, channel, ...Object.values(data)].join(":");
  return { auth: `${key}:${await hmacSha256(secret, text)}`, ...data };
}

function textToSign(method, url) {
  const pairs = [...url.searchParams].map(([name, value]) => [name.toLowerCase(), value]);
  pairs.sort(([one], [other]) => (one < other ? -1 : Number(one > other)));
  return [method, url.pathname, pairs.map(([name, value]) => `${name}=${value}`).join("&")].join("\n");
}

async function hmacSha256(secret, text) {
  if (!globalThis.crypto?.subtle) throw new Error(NO_WEB_CRYPTO);
  const encoder = new TextEncoder();
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", encoder.encode(secret), algorithm, false, ["sign"]);
  return hexadecimal(await crypto.subtle.sign("HMAC", key, encoder.encode(text)));
}
