import { useState } from "preact/hooks";
import type { PlanDetails } from "../../api/administration";
import { path, put } from "../../api/client";
import type { Limits } from "../../api/types";
import { TextField } from "../../components/field";
import { FormDialog } from "../../components/form_dialog";
import { LimitFields, limitsTyped, type TypedLimits } from "../../components/limit_fields";

/** The dialog that makes a plan, or changes one. `inherited` is what holds where a field is empty. */
export function PlanDialog(props: {
  changed: PlanDetails | null;
  names: string[];
  inherited: Limits;
  onSaved: (plan: PlanDetails) => void;
  onClose: () => void;
}) {
  const { changed } = props;
  const [name, setName] = useState(changed?.name ?? "");
  const [typed, setTyped] = useState<TypedLimits>(ownLimits(changed?.limits ?? {}, props.inherited));
  const submit = async (): Promise<void> => {
    if (changed === null && props.names.includes(name)) throw new Error("There is a plan of this name: edit that one.");
    props.onSaved(await put<PlanDetails>(path`/plans/${name}`, { limits: limitsTyped(typed) }));
  };
  return (
    <FormDialog
      title={changed ? `Edit the plan ${changed.name}` : "Create a plan"}
      submit={changed ? "Save" : "Create the plan"}
      onSubmit={submit}
      onClose={props.onClose}
    >
      {changed === null && (
        <TextField
          label="Name"
          value={name}
          onChange={setName}
          required
          mono
          autoFocus
          pattern="[A-Za-z0-9_\-]{1,60}"
          hint="Letters, digits, _ and -."
        />
      )}
      <p class="muted">What is left empty is as the configuration has the plan “unlimited”.</p>
      <LimitFields typed={typed} inherited={props.inherited} onChange={setTyped} />
    </FormDialog>
  );
}

/** A plan's limits that are not simply the inherited ones. */
const ownLimits = (limits: Limits, inherited: Limits): TypedLimits =>
  Object.fromEntries(
    Object.entries(limits)
      .filter(([name, value]) => value !== inherited[name])
      .map(([name, value]) => [name, String(value)]),
  );
