/** The way to the admin API: the session's cookie goes along by itself, the header shows that it is this page. */

const PREFIX = "/api/admin";
const HEADERS = { "X-Skubber-Console": "1" };

/** What the server answered that was no success: a stable code, and a sentence that says what to do. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

type Query = Record<string, string | number | null | undefined>;

let onSignedOut: () => void = () => undefined;

/** Name what is to be done when the server says that nobody is signed in any more. */
export function whenSignedOut(act: () => void): void {
  onSignedOut = act;
}

/** Put together a path below /api/admin. Each value becomes one segment, whatever it holds. */
export function path(strings: TemplateStringsArray, ...values: (string | number)[]): string {
  return String.raw({ raw: strings }, ...values.map((value) => encodeURIComponent(value)));
}

/** Ask the admin API; rejects with an ApiError. */
export async function request<Answer>(
  method: string,
  address: string,
  options: { query?: Query; body?: unknown; signal?: AbortSignal } = {},
): Promise<Answer> {
  const response = await send(method, address, options);
  return (await response.json()) as Answer;
}

export const get = <Answer>(address: string, query: Query = {}, signal?: AbortSignal): Promise<Answer> =>
  request<Answer>("GET", address, signal ? { query, signal } : { query });

export const post = <Answer>(address: string, body: unknown = {}): Promise<Answer> =>
  request<Answer>("POST", address, { body });

export const patch = <Answer>(address: string, body: unknown): Promise<Answer> =>
  request<Answer>("PATCH", address, { body });

export const put = <Answer>(address: string, body: unknown): Promise<Answer> => request<Answer>("PUT", address, { body });

export const remove = <Answer>(address: string): Promise<Answer> => request<Answer>("DELETE", address);

/** Read server-sent events until the signal ends it or the connection does; EventSource could not send the header. */
export async function events(
  address: string,
  query: Query,
  signal: AbortSignal,
  take: (name: string, data: string) => void,
  opened: () => void = () => undefined,
): Promise<void> {
  const response = await send("GET", address, { query, signal });
  opened();
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const chunk = await reader?.read();
    if (!chunk || chunk.done) return;
    // Lines end with CR LF or LF; JSON text holds no CR.
    const blocks = (rest + chunk.value.replaceAll("\r", "")).split("\n\n");
    rest = blocks.pop() ?? "";
    for (const block of blocks) takeBlock(block, take);
  }
}

function takeBlock(block: string, take: (name: string, data: string) => void): void {
  let name = "message";
  const data: string[] = [];
  for (const line of block.split("\n")) {
    if (line.startsWith("event:")) name = line.slice(6).trim();
    if (line.startsWith("data:")) data.push(line.slice(5).trimStart());
  }
  if (data.length > 0) take(name, data.join("\n"));
}

async function send(
  method: string,
  address: string,
  { query = {}, body, signal }: { query?: Query; body?: unknown; signal?: AbortSignal },
): Promise<Response> {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== "") parameters.set(name, String(value));
  }
  const search = parameters.size > 0 ? `?${parameters}` : "";
  let response: Response;
  try {
    response = await fetch(PREFIX + address + search, {
      method,
      headers: body === undefined ? HEADERS : { ...HEADERS, "Content-Type": "application/json" },
      body: body === undefined ? null : JSON.stringify(body),
      signal: signal ?? null,
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(0, "unreachable", "The server cannot be reached: is it running?");
  }
  if (response.ok) return response;
  throw await failure(response);
}

async function failure(response: Response): Promise<ApiError> {
  if (response.status === 401) onSignedOut();
  try {
    const { code, error } = (await response.json()) as { code: string; error: string };
    return new ApiError(response.status, code, error);
  } catch {
    return new ApiError(response.status, "unreadable", `The server answered ${response.status}.`);
  }
}
