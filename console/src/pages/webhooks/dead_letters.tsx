import type { DeadLetter, DeadLetterPage } from "../../api/administration";
import { get, post, remove } from "../../api/client";
import { Button } from "../../components/button";
import { Code } from "../../components/code";
import { ConfirmButton } from "../../components/dialog";
import { Card } from "../../components/page";
import { PagedList } from "../../components/paged";
import { Table } from "../../components/table";
import { Time } from "../../components/time";
import { tell } from "../../components/toasts";
import { number } from "../../format";
import { isOwner } from "../../state/session";
import { usePaged } from "../../state/use_paged";
import { useReloadOn } from "../../state/use_reload_on";

/** The events that were given up, with ways to send them again. When `mark` changes there may be others. */
export function DeadLetters(props: { address: string; mark: string; onChanged: () => void }) {
  const address = `${props.address}/dead-letters`;
  const letters = usePaged<DeadLetter>(
    async (after, signal) => {
      const page = await get<DeadLetterPage>(address, { limit: 20, after }, signal);
      return { rows: page.deadLetters, next: page.next };
    },
    [address],
  );
  useReloadOn(props.mark, letters.reload);
  const replay = async (ids: number[] | null): Promise<void> => {
    const { count } = await post<{ count: number }>(`${address}/replay`, { ids });
    tell(`${number(count)} sent again.`);
    props.onChanged();
  };
  const erase = async (): Promise<void> => {
    const { count } = await remove<{ count: number }>(address);
    tell(`${number(count)} deleted.`);
    props.onChanged();
  };
  const hasSome = (letters.rows?.length ?? 0) > 0;
  return (
    <Card title="Dead letters" actions={isOwner.value && hasSome && <All onReplay={() => replay(null)} onErase={erase} />}>
      <p class="muted">Events that were sent several times, failed each time, and were given up. They are kept for 30 days.</p>
      <PagedList of={letters}>
        {(rows) =>
          rows.length === 0 ? (
            <p class="muted">None.</p>
          ) : (
            <Table
              label="Dead letters"
              rows={rows}
              rowKey={(letter) => letter.id}
              columns={isOwner.value ? [...COLUMNS, replayColumn((letter) => replay([letter.id]))] : COLUMNS}
            />
          )
        }
      </PagedList>
    </Card>
  );
}

function All(props: { onReplay: () => Promise<void>; onErase: () => Promise<void> }) {
  return (
    <>
      <Button onPress={props.onReplay}>Replay all</Button>
      <ConfirmButton
        question="Delete all dead letters?"
        explanation="Your back end will never hear of these events."
        confirm="Delete all"
        onConfirm={props.onErase}
      >
        Delete all
      </ConfirmButton>
    </>
  );
}

const COLUMNS = [
  { title: "Happened", isHead: true, cell: ({ happenedAt }: DeadLetter) => <Time at={happenedAt} /> },
  { title: "Given up", cell: ({ deadAt }: DeadLetter) => <Time at={deadAt} /> },
  { title: "Attempts", isNumber: true, cell: ({ attempts }: DeadLetter) => number(attempts) },
  { title: "Last outcome", cell: ({ error }: DeadLetter) => error },
  {
    title: "Event",
    cell: ({ id, event }: DeadLetter) => (
      <details>
        <summary>
          {String(event["name"])} <code>{String(event["channel"])}</code>
        </summary>
        <Code text={JSON.stringify(event, null, 2)} what={`the event ${id}`} />
      </details>
    ),
  },
];

const replayColumn = (replay: (letter: DeadLetter) => Promise<void>) => ({
  title: "Actions",
  cell: (letter: DeadLetter) => (
    <Button small label={`Replay the event ${letter.id}`} onPress={() => replay(letter)}>
      Replay
    </Button>
  ),
});
