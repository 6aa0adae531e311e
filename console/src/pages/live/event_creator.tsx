import { useState } from "preact/hooks";
import { get, path, post } from "../../api/client";
import type { ChannelPage, Publication, Published } from "../../api/inspection";
import { Button } from "../../components/button";
import { CopyButton } from "../../components/code";
import { Form, TextArea, TextField } from "../../components/field";
import { Card } from "../../components/page";
import { publishCommand } from "../../curl";
import { pretty } from "../../format";
import { useLoaded } from "../../state/use_loaded";
import { useSettled } from "../../state/use_settled";

const MOST_TIMES = 100;
const MOST_SENT = 10;

/** A form that publishes an event, and again what was sent before. */
export function EventCreator(props: { appId: string; firstChannel: string }) {
  const [channel, setChannel] = useState(props.firstChannel.endsWith("*") ? "" : props.firstChannel);
  const [name, setName] = useState("my-event");
  const [data, setData] = useState('{"message": "Hello, world"}');
  const [socketId, setSocketId] = useState("");
  const [times, setTimes] = useState("1");
  const [outcome, setOutcome] = useState<{ isGood: boolean; text: string }>();
  const [sent, setSent] = useState<Publication[]>([]);
  const prefix = useSettled(channel);
  const channels = useLoaded(
    (signal) => get<ChannelPage>(path`/apps/${props.appId}/channels`, { prefix, limit: 20 }, signal),
    [props.appId, prefix],
    0,
    true,
  );
  const publication: Publication = { channels: [channel], name, data, socketId: socketId === "" ? null : socketId };

  const send = async (what: Publication, count: number): Promise<void> => {
    try {
      let counted = 0;
      for (let number = 0; number < count; number += 1) {
        const answer = await post<Published>(path`/apps/${props.appId}/events`, what);
        counted = answer.channels.reduce((sum, { subscriptionCount }) => sum + subscriptionCount, 0);
      }
      const often = count === 1 ? "" : ` ${count} times`;
      const to = counted === 1 ? "one subscription" : `${counted} subscriptions`;
      setOutcome({ isGood: true, text: `Sent${often}, to ${to}.` });
      setSent((before) => [what, ...before].slice(0, MOST_SENT));
    } catch (error) {
      setOutcome({ isGood: false, text: error instanceof Error ? error.message : String(error) });
    }
  };
  return (
    <Card title="Send an event">
      <Form
        label="Send an event"
        onSubmit={() => void send(publication, Math.min(MOST_TIMES, Math.max(1, Number(times))))}
      >
        <TextField
          label="Channel"
          value={channel}
          onChange={setChannel}
          suggestions={channels.value?.channels.map((each) => each.name) ?? []}
          required
          mono
        />
        <TextField label="Event" value={name} onChange={setName} required mono />
        <TextArea label="Data" value={data} onChange={setData} hint={jsonWord(data)} rows={6} />
        <Button small onPress={() => setData(pretty(data))}>
          Format
        </Button>
        <TextField label="Leave out socket id" value={socketId} onChange={setSocketId} mono />
        <TextField label="Times" type="number" min={1} max={MOST_TIMES} value={times} onChange={setTimes} />
        <div class="row">
          <Button type="submit" look="primary">
            Send
          </Button>
          <span class="muted">As cURL:</span>
          <CopyButton text={publishCommand(props.appId, publication)} what="as cURL" />
        </div>
      </Form>
      <div role="status">{outcome && <p class={`message ${outcome.isGood ? "good" : "bad"}`}>{outcome.text}</p>}</div>
      {sent.map((each, index) => (
        <div key={index} class="row apart">
          <code>
            {each.name} → {each.channels.join(" ")}
          </code>
          <Button small label={`Send ${each.name} again`} onPress={() => send(each, 1)}>
            Send again
          </Button>
        </div>
      ))}
    </Card>
  );
}

function jsonWord(text: string): string {
  try {
    JSON.parse(text);
    return "This is JSON.";
  } catch (error) {
    return `This is no JSON, and goes out as text: ${error instanceof Error ? error.message : String(error)}`;
  }
}
