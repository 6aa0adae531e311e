import { number } from "../format";
import { Button } from "./button";

/** Which part of a list is shown, and the way to the others. */
export function Pager(props: {
  before: number;
  shown: number;
  total: number;
  next: (() => void) | undefined;
  previous: (() => void) | undefined;
}) {
  const { before, shown, total } = props;
  return (
    <nav class="row apart" aria-label="Pages of the list">
      <span class="muted number">
        {shown === 0 ? "None" : `${number(before + 1)}–${number(before + shown)} of ${number(total)}`}
      </span>
      {(props.next || props.previous) && (
        <div class="row">
          <Button small disabled={!props.previous} onPress={() => props.previous?.()}>
            Previous
          </Button>
          <Button small disabled={!props.next} onPress={() => props.next?.()}>
            Next
          </Button>
        </div>
      )}
    </nav>
  );
}
