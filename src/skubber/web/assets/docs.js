// Swagger UI for the API, able to sign requests as Pusher does.
import { NO_WEB_CRYPTO, signed } from "./pusher_signature.js";

const find = (selector) => document.querySelector(selector);

/**
 * Swagger UI puts what was entered for auth_key and auth_signature into the query. For the latter that is the secret: it
 * must not leave this page, the signature it makes takes its place.
 */
async function signIfAsked(request) {
  const url = new URL(request.url, location.href);
  const key = url.searchParams.get("auth_key");
  const secret = url.searchParams.get("auth_signature");
  if (key === null && secret === null) return request;
  url.searchParams.delete("auth_key");
  url.searchParams.delete("auth_signature");
  // Whoever fills in two ways to authenticate means to see the signature at work.
  delete request.headers["X-Api-Key"];
  delete request.headers["X-Api-Secret"];
  try {
    if (key === null || secret === null) throw new Error("Authorize with both auth_key and auth_signature.");
    request.url = (await signed(request.method, url, request.body ?? "", key, secret)).href;
  } catch (error) {
    // Swagger UI shows why a request failed, but cannot bear an interceptor that does.
    request.url = url.href;
    request.userFetch = () => Promise.reject(error);
  }
  return request;
}

/** Put the demo app's key and secret into the examples that hold some, so that they can be tried out as they are. */
function withCredentials(specification, { key, secret }) {
  return JSON.parse(JSON.stringify(specification), (_, value) => {
    if (value === "YOUR_KEY") return key;
    return value === "YOUR_SECRET" ? secret : value;
  });
}

const fetchJson = async (path) => (await fetch(path)).json();

const [{ app, is_exposed: isExposed }, specification] = await Promise.all(
  ["/demo/app.json", "/docs/openapi.json"].map(fetchJson),
);
find("#demo-app").hidden = app === null;
find("#own-app").hidden = app !== null;
find("#exposed").hidden = !isExposed;
find("#no-web-crypto").textContent = `${NO_WEB_CRYPTO} Or authorize with X-Api-Key and X-Api-Secret.`;
find("#no-web-crypto").hidden = Boolean(globalThis.crypto?.subtle);

const ui = SwaggerUIBundle({
  spec: app === null ? specification : withCredentials(specification, app),
  dom_id: "#swagger-ui",
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  validatorUrl: null,
  requestInterceptor: signIfAsked,
  onComplete() {
    if (app === null) return;
    ui.preauthorizeApiKey("X-Api-Key", app.key);
    ui.preauthorizeApiKey("X-Api-Secret", app.secret);
  },
});
