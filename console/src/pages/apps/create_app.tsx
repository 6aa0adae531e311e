import { useState } from "preact/hooks";
import { get, post } from "../../api/client";
import type { CreatedApp, PlanDetails } from "../../api/administration";
import { AppOptionFields, type AppOptions } from "../../components/app_options";
import { Select, TextField } from "../../components/field";
import { FormDialog } from "../../components/form_dialog";
import { useLoaded } from "../../state/use_loaded";

const DEFAULT_PLAN = "unlimited";

/** The dialog that makes an app. */
export function CreateApp(props: { onCreated: (app: CreatedApp) => void; onClose: () => void }) {
  const [id, setId] = useState("");
  const [plan, setPlan] = useState(DEFAULT_PLAN);
  const [options, setOptions] = useState<AppOptions>({
    clientEvents: true,
    subscriptionCounts: false,
    requiresSignIn: false,
    tlsOnly: false,
  });
  const plans = useLoaded((signal) => get<{ plans: PlanDetails[] }>("/plans", {}, signal), []);
  const names = plans.value?.plans.map(({ name }) => name) ?? [DEFAULT_PLAN];
  const submit = async (): Promise<void> => {
    props.onCreated(await post<CreatedApp>("/apps", { ...(id === "" ? {} : { id }), plan, ...options }));
  };
  return (
    <FormDialog title="Create an app" submit="Create the app" onSubmit={submit} onClose={props.onClose}>
      <TextField
        label="Id"
        value={id}
        onChange={setId}
        mono
        autoFocus
        pattern="[A-Za-z0-9_\-]{1,100}"
        placeholder="Nine digits are made up"
        hint="Letters, digits, _ and -. Pusher's SDK for Python takes only digits. It cannot be changed later."
      />
      <Select
        label="Plan"
        value={plan}
        options={names.map((name) => ({ value: name, text: name }))}
        onChange={setPlan}
        hint="A plan is a set of limits; the app can have limits of its own over it."
      />
      <AppOptionFields options={options} onChange={setOptions} />
    </FormDialog>
  );
}
