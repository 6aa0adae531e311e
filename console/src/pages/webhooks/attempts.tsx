import type { AttemptPage, DeliveryAttempt } from "../../api/administration";
import { get } from "../../api/client";
import { Badge } from "../../components/badge";
import { Card } from "../../components/page";
import { PagedList } from "../../components/paged";
import { Table } from "../../components/table";
import { Time } from "../../components/time";
import { milliseconds, number } from "../../format";
import { usePaged } from "../../state/use_paged";
import { useReloadOn } from "../../state/use_reload_on";

/** What was tried, the newest first. When `mark` changes there may be more. */
export function Attempts(props: { address: string; mark: string }) {
  const attempts = usePaged<DeliveryAttempt>(
    async (before, signal) => {
      const page = await get<AttemptPage>(`${props.address}/attempts`, { limit: 20, before }, signal);
      return { rows: page.attempts, next: page.next };
    },
    [props.address],
  );
  useReloadOn(props.mark, attempts.reload);
  return (
    <Card title="Attempts">
      <p class="muted">The last 200 are kept.</p>
      <PagedList of={attempts}>
        {(rows) =>
          rows.length === 0 ? (
            <p class="muted">None yet. Subscribe a client to a channel, or send a test event.</p>
          ) : (
            <Table label="Attempts" rows={rows} rowKey={(attempt) => attempt.id} columns={COLUMNS} />
          )
        }
      </PagedList>
    </Card>
  );
}

const COLUMNS = [
  { title: "When", isHead: true, cell: ({ at }: DeliveryAttempt) => <Time at={at} /> },
  {
    title: "Result",
    cell: ({ delivered }: DeliveryAttempt) => (
      <Badge kind={delivered ? "good" : "bad"}>{delivered ? "Delivered" : "Failed"}</Badge>
    ),
  },
  { title: "Outcome", cell: ({ outcome }: DeliveryAttempt) => outcome },
  { title: "Took", isNumber: true, cell: (attempt: DeliveryAttempt) => milliseconds(attempt.milliseconds) },
  { title: "Events", isNumber: true, cell: ({ eventCount }: DeliveryAttempt) => number(eventCount) },
  { title: "Names", cell: ({ events }: DeliveryAttempt) => events.join(", ") },
];
