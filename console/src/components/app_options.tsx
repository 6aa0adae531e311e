import { Checkbox } from "./field";

/** What an app has on or off. */
export interface AppOptions {
  clientEvents: boolean;
  subscriptionCounts: boolean;
  requiresSignIn: boolean;
  tlsOnly: boolean;
}

const OPTIONS: readonly [keyof AppOptions, string, string][] = [
  ["clientEvents", "Client events", "Clients may send events whose names start with client- on private and presence channels."],
  ["subscriptionCounts", "Subscription counts", "Subscribers are told how many they are."],
  ["requiresSignIn", "Sign-in required", "Connections on which no user signs in are closed."],
  ["tlsOnly", "TLS only", "Connections and requests that are not encrypted are refused."],
];

/** A check box for each. */
export function AppOptionFields(props: {
  options: AppOptions;
  onChange: (options: AppOptions) => void;
  disabled?: boolean;
}) {
  return (
    <>
      {OPTIONS.map(([name, label, hint]) => (
        <Checkbox
          key={name}
          label={label}
          hint={hint}
          checked={props.options[name]}
          onChange={(checked) => props.onChange({ ...props.options, [name]: checked })}
          disabled={props.disabled === true}
        />
      ))}
    </>
  );
}
