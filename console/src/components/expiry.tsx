import { TextField } from "./field";

/** The last day on which something is good; empty: it has no end. */
export function ExpiryField(props: { value: string; onChange: (day: string) => void }) {
  return (
    <TextField
      label="Last day (UTC)"
      type="date"
      value={props.value}
      onChange={props.onChange}
      hint="Leave it empty, and it does not expire."
    />
  );
}

/** The end of a day as the API takes it; null for no day. */
export const endOfDay = (day: string): string | null => (day === "" ? null : `${day}T23:59:59Z`);

/** The day of a time of the API's; no day for null. */
export const dayOf = (time: string | null): string => time?.slice(0, 10) ?? "";
