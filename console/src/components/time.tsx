import { moment } from "../format";

/** A point in time, in the reader's own time zone; the full text is its title. */
export function Time(props: { at: string | null; none?: string }) {
  if (props.at === null) return <span class="muted">{props.none ?? "–"}</span>;
  return (
    <time dateTime={props.at} title={props.at}>
      {moment(props.at)}
    </time>
  );
}
