import { milliseconds } from "../../format";

/** An event that has reached the subscriber in the page. */
export interface Arrival {
  id: number;
  name: string;
  /** JSON text. */
  data: string;
  /** How long after the button was pressed; null: it was sent from elsewhere. */
  afterMs: number | null;
}

/** What has arrived, the newest first. */
export function Arrivals(props: { arrivals: Arrival[] }) {
  return (
    <div class="arrivals" role="status">
      {props.arrivals.length === 0 && <p class="muted">Nothing yet. What you send is here at once.</p>}
      {props.arrivals.map((arrival) => (
        <p key={arrival.id} class="arrival">
          <strong>{arrival.name}</strong> <code>{arrival.data}</code>
          {arrival.afterMs !== null && (
            <span class="muted"> {milliseconds(arrival.afterMs)} after the button was pressed</span>
          )}
        </p>
      ))}
    </div>
  );
}
