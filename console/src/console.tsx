import { Router } from "wouter-preact";
import { Frame } from "./frame";
import { Pages } from "./pages/pages";
import { SignIn } from "./pages/sign_in";
import { me } from "./state/session";

/** The console: to whoever is signed in its pages, to all others the door. */
export function Console() {
  if (me.value === undefined) return null;
  if (me.value === null) return <SignIn />;
  return (
    <Router base="/console">
      <Frame>
        <Pages />
      </Frame>
    </Router>
  );
}
