import type { Scope } from "../../api/administration";
import { Checkbox } from "../../components/field";

/** What a key may be used for, and what that means. */
export const SCOPES: readonly [Scope, string, string][] = [
  ["publish", "Publish", "Publish events through the HTTP API."],
  ["read", "Read", "Ask which channels there are, and who is on them."],
  ["admin", "Admin", "Terminate the connections of users."],
  ["connect", "Connect", "Clients connect with it and fetch access tokens with it."],
];

/** A check box for each scope; one is needed at least. */
export function ScopeFields(props: { scopes: Scope[]; onChange: (scopes: Scope[]) => void }) {
  return (
    <fieldset class="stack tight">
      <legend>
        <h3>Scopes</h3>
      </legend>
      {SCOPES.map(([scope, label, hint]) => (
        <Checkbox
          key={scope}
          label={label}
          hint={hint}
          checked={props.scopes.includes(scope)}
          onChange={(isOn) =>
            props.onChange(isOn ? [...props.scopes, scope] : props.scopes.filter((each) => each !== scope))
          }
        />
      ))}
      {props.scopes.length === 0 && <p class="muted">Choose one at least.</p>}
    </fieldset>
  );
}
