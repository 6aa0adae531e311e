import { useState } from "preact/hooks";
import type { WebhookTest } from "../../api/administration";
import { request } from "../../api/client";
import { Badge } from "../../components/badge";
import { Button } from "../../components/button";
import { Code } from "../../components/code";
import { Card } from "../../components/page";
import { milliseconds, pretty } from "../../format";
import { isOwner } from "../../state/session";

/** Sends one event to a webhook at once, and shows what came of it. */
export function TestCard(props: { address: string; onTested: () => void }) {
  const [result, setResult] = useState<WebhookTest>();
  const test = async (): Promise<void> => {
    setResult(await request<WebhookTest>("POST", `${props.address}/test`));
    props.onTested();
  };
  if (!isOwner.value) return null;
  return (
    <Card title="Try it" actions={<Button onPress={test}>Send a test event</Button>}>
      <p class="muted">One event is sent now, signed like any other. It does not wait in line and is not tried again.</p>
      <div role="status" class="stack tight">
        {result && (
          <p class="row">
            <Badge kind={result.delivered ? "good" : "bad"}>{result.delivered ? "Delivered" : "Failed"}</Badge>
            <span>{result.outcome}</span>
            <span class="muted number">{milliseconds(result.milliseconds)}</span>
          </p>
        )}
      </div>
      {result && <Code text={pretty(result.body)} what="the body that was sent" />}
    </Card>
  );
}
