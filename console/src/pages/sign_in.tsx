import { useState } from "preact/hooks";
import { Button } from "../components/button";
import { Code } from "../components/code";
import { Form, TextField } from "../components/field";
import { Toasts } from "../components/toasts";
import { obstacle, signIn } from "../state/session";

/** Where somebody signs in with an admin token. */
export function SignIn() {
  const [token, setToken] = useState("");
  const [error, setError] = useState<string | null>(null);
  const [isBusy, setIsBusy] = useState(false);
  const submit = async (): Promise<void> => {
    setIsBusy(true);
    setError(null);
    try {
      await signIn(token.trim());
    } catch (failure) {
      setError(failure instanceof Error ? failure.message : String(failure));
    } finally {
      setIsBusy(false);
    }
  };
  return (
    <main class="sign-in">
      <section class="card">
        <div class="stack">
          <div class="brand">
            <img src="/assets/icon.svg" alt="" width="28" height="28" />
            <h1>Skubber console</h1>
          </div>
          {obstacle.value && (
            <p class="message bad" role="alert">
              {obstacle.value}
            </p>
          )}
          <Form onSubmit={() => void submit()} label="Sign in">
            <TextField
              label="Admin token"
              type="password"
              value={token}
              onChange={setToken}
              required
              mono
              autoFocus
              hint="It stays in this browser's session for twelve hours; no script can read it."
            />
            {error && (
              <p class="message bad" role="alert">
                {error}
              </p>
            )}
            <Button type="submit" look="primary" disabled={isBusy}>
              Sign in
            </Button>
          </Form>
          <details>
            <summary>No token yet?</summary>
            <div class="stack tight">
              <p class="muted">
                Make one where the server runs. An owner may do everything; leave the role out for somebody who only
                looks.
              </p>
              <Code text='skubber tokens create "My name" --role owner' what="the command" />
            </div>
          </details>
        </div>
      </section>
      <Toasts />
    </main>
  );
}
