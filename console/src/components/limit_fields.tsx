import { number } from "../format";
import { LIMIT_GROUPS, type LimitMeaning } from "../limits";
import type { Limits } from "../api/types";
import { TextField } from "./field";

/** What was typed for each limit; nothing: it is as the plan has it. */
export type TypedLimits = Record<string, string>;

/** Limits as they stand in the fields. */
export const typedLimits = (limits: Limits): TypedLimits =>
  Object.fromEntries(Object.entries(limits).map(([name, value]) => [name, String(value)]));

/** What the API takes of it. */
export const limitsTyped = (typed: TypedLimits): Limits =>
  Object.fromEntries(
    Object.entries(typed)
      .filter(([, text]) => text.trim() !== "")
      .map(([name, text]) => [name, Number(text)]),
  );

/** A limit's value as people read it. */
export function limitText(value: number | undefined, { zero, unit }: Pick<LimitMeaning, "zero" | "unit">): string {
  if (value === undefined) return "";
  return value === 0 && zero === "no limit" ? "no limit" : `${number(value)} ${unit}`;
}

/** A field for each limit. `inherited` is what holds where a field is empty. */
export function LimitFields(props: {
  typed: TypedLimits;
  inherited: Limits;
  onChange: (typed: TypedLimits) => void;
  disabled?: boolean;
}) {
  return (
    <>
      {LIMIT_GROUPS.map((group) => (
        <fieldset key={group.title} class="stack tight">
          <legend>
            <h3>{group.title}</h3>
          </legend>
          <div class="grid">
            {group.limits.map((limit) => (
              <TextField
                key={limit.name}
                label={limit.label}
                type="number"
                min={limit.zero === null ? 1 : 0}
                value={props.typed[limit.name] ?? ""}
                placeholder={limitText(props.inherited[limit.name], limit)}
                onChange={(text) => props.onChange({ ...props.typed, [limit.name]: text })}
                hint={hintOf(limit)}
                disabled={props.disabled === true}
              />
            ))}
          </div>
        </fieldset>
      ))}
    </>
  );
}

const hintOf = ({ meaning, zero }: LimitMeaning): string => (zero === null ? meaning : `${meaning} 0: ${zero}.`);
