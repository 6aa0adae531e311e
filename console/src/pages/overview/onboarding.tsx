import { useEffect, useRef, useState } from "preact/hooks";
import { Link } from "wouter-preact";
import { appPage } from "../../addresses";
import { get, path, post } from "../../api/client";
import type { Publication, Published } from "../../api/inspection";
import type { KeyDetails } from "../../api/types";
import { Button } from "../../components/button";
import { Code } from "../../components/code";
import { Loading } from "../../components/loading";
import { publishCommand } from "../../curl";
import { isOwner } from "../../state/session";
import { useLoaded } from "../../state/use_loaded";
import { Arrivals, type Arrival } from "./arrivals";
import { subscribe, type SubscriberState } from "./subscriber";

const CHANNEL = "my-channel";
const EVENT = "my-event";
const MOST_ARRIVALS = 5;

const STATES: Record<SubscriberState, { kind: string; text: string }> = {
  connecting: { kind: "busy", text: "Connecting …" },
  connected: { kind: "busy", text: "Connected, subscribing …" },
  subscribed: { kind: "good", text: `Subscribed to ${CHANNEL}` },
  away: { kind: "bad", text: "Not connected; it tries again by itself" },
  refused: { kind: "bad", text: "The server has refused it" },
};

/** The way to a first event, on this page: a subscriber, a button that sends, and what arrives. */
export function Onboarding(props: { appId: string }) {
  const keys = useLoaded(
    (signal) => get<{ keys: KeyDetails[] }>(path`/apps/${props.appId}/keys`, {}, signal),
    [props.appId],
  );
  return (
    <Loading of={keys}>
      {(list) => {
        const key = list.keys.find(isGood)?.key;
        if (key !== undefined) return <Steps appId={props.appId} apiKey={key} />;
        return (
          <p>
            No key of this app lets clients connect any more. <Link href={appPage(props.appId, ["keys"])}>Make one</Link>{" "}
            with the scope <code>connect</code>.
          </p>
        );
      }}
    </Loading>
  );
}

function isGood(key: KeyDetails): boolean {
  const isExpired = key.expiresAt !== null && new Date(key.expiresAt).getTime() <= Date.now();
  return key.revokedAt === null && !isExpired && key.scopes.includes("connect");
}

function Steps({ appId, apiKey }: { appId: string; apiKey: string }) {
  const [state, setState] = useState<SubscriberState>("connecting");
  const [refusal, setRefusal] = useState<string>();
  const [arrivals, setArrivals] = useState<Arrival[]>([]);
  const count = useRef(0);
  const sentAt = useRef(new Map<number, number>());

  const arrive = (name: string, data: unknown): void => {
    const test = isTest(data) ? data.test : undefined;
    const sent = test === undefined ? undefined : sentAt.current.get(test);
    const arrival = {
      id: (count.current += 1),
      name,
      data: JSON.stringify(data),
      afterMs: sent === undefined ? null : performance.now() - sent,
    };
    setArrivals((before) => [arrival, ...before].slice(0, MOST_ARRIVALS));
  };

  useEffect(() => {
    const onState = (now: SubscriberState, sentence?: string): void => {
      setState(now);
      setRefusal(sentence);
    };
    let stop: (() => void) | undefined;
    let isGone = false;
    subscribe(apiKey, CHANNEL, { onState, onEvent: arrive })
      .then((end) => {
        if (isGone) end();
        else stop = end;
      })
      .catch((error: unknown) => onState("refused", String(error)));
    return () => {
      isGone = true;
      stop?.();
    };
  }, [apiKey]);

  const send = async (): Promise<void> => {
    const test = sentAt.current.size + 1;
    sentAt.current.set(test, performance.now());
    await post<Published>(path`/apps/${appId}/events`, publication({ message: "Hello, world", test }));
  };

  const { kind, text } = STATES[state];
  return (
    <ol class="steps">
      <li>
        <h3>A subscriber listens</h3>
        <p>This page has connected with pusher-js, the key and the channel, as your own page would.</p>
        <p role="status">
          <span class={`dot ${kind}`} aria-hidden="true" />
          {text}
          {refusal && <span class="muted"> ({refusal})</span>}
        </p>
      </li>
      <li>
        <h3>Send an event</h3>
        {isOwner.value && (
          <div class="row">
            <Button look="primary" disabled={state !== "subscribed"} onPress={send}>
              Send a test event
            </Button>
            <span class="muted">or from a terminal:</span>
          </div>
        )}
        <Code text={publishCommand(appId, publication({ message: "Hello from curl" }), apiKey)} what="the command" />
        <p class="muted">
          The secret was shown when the key was made. Lost it? <Link href={appPage(appId, ["keys"])}>Rotate the key</Link>{" "}
          for a new one.
        </p>
      </li>
      <li>
        <h3>It arrives</h3>
        <Arrivals arrivals={arrivals} />
      </li>
    </ol>
  );
}

function publication(data: Record<string, unknown>): Publication {
  return { channels: [CHANNEL], name: EVENT, data: JSON.stringify(data), socketId: null };
}

function isTest(data: unknown): data is { test: number } {
  return typeof data === "object" && data !== null && "test" in data && typeof data.test === "number";
}
