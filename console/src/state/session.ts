import { computed, signal } from "@preact/signals";
import { ApiError, get, post, remove, whenSignedOut } from "../api/client";
import type { AdminToken } from "../api/types";

/** Whose session it is; null: nobody's; undefined: not known yet. */
export const me = signal<AdminToken | null | undefined>(undefined);

/** What keeps anybody from signing in, as a sentence: no database, say. */
export const obstacle = signal<string | null>(null);

/** Whether whoever is signed in may change anything. */
export const isOwner = computed(() => me.value?.role === "owner");

// No script can read the session's cookie. This tells whether it is worth asking if it is still good.
const PLACE = "skubber-session";

whenSignedOut(forget);

function forget(): void {
  localStorage.removeItem(PLACE);
  me.value = null;
}

/** Find out whether a session goes on. */
export async function resume(): Promise<void> {
  if (localStorage.getItem(PLACE) === null) {
    me.value = null;
    return;
  }
  try {
    me.value = await get<AdminToken>("/me");
  } catch (error) {
    me.value = null;
    if (error instanceof ApiError && error.status !== 401) obstacle.value = error.message;
  }
}

/** Begin a session; rejects with an ApiError. */
export async function signIn(token: string): Promise<void> {
  me.value = await post<AdminToken>("/session", { token });
  localStorage.setItem(PLACE, "1");
  obstacle.value = null;
}

/** End it, on the server as well. */
export async function signOut(): Promise<void> {
  try {
    await remove("/session");
  } finally {
    forget();
  }
}
