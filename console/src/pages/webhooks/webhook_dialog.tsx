import { useState } from "preact/hooks";
import type { WebhookDetails, WebhookEventName } from "../../api/administration";
import { patch, path, post } from "../../api/client";
import { Checkbox, TextField } from "../../components/field";
import { FormDialog } from "../../components/form_dialog";
import { type Header, HeaderFields, headersGiven } from "./header_fields";
import { WEBHOOK_EVENTS } from "./webhook_events";

/** The dialog that makes a webhook, or changes one that is given. */
export function WebhookDialog(props: {
  appId: string;
  changed?: WebhookDetails;
  onSaved: (webhook: WebhookDetails) => void;
  onClose: () => void;
}) {
  const { changed } = props;
  const [url, setUrl] = useState(changed?.url ?? "");
  const [events, setEvents] = useState<WebhookEventName[]>(changed?.events ?? WEBHOOK_EVENTS.map(([name]) => name));
  const [prefix, setPrefix] = useState(changed?.channelPrefix ?? "");
  const [headers, setHeaders] = useState<Header[]>([]);
  const hasHeaders = (changed?.headerNames.length ?? 0) > 0;
  const [replacesHeaders, setReplacesHeaders] = useState(!hasHeaders);
  const [isBatched, setIsBatched] = useState(changed?.isBatched ?? true);
  const [enabled, setEnabled] = useState(changed?.enabled ?? true);

  const submit = async (): Promise<void> => {
    const body = {
      url,
      events,
      channelPrefix: prefix,
      isBatched,
      enabled,
      ...(replacesHeaders ? { headers: headersGiven(headers) } : {}),
    };
    const saved =
      changed === undefined
        ? await post<WebhookDetails>(path`/apps/${props.appId}/webhooks`, body)
        : await patch<WebhookDetails>(path`/apps/${props.appId}/webhooks/${changed.id}`, body);
    props.onSaved(saved);
  };
  return (
    <FormDialog
      title={changed ? "Edit the webhook" : "Create a webhook"}
      submit={changed ? "Save" : "Create the webhook"}
      onSubmit={submit}
      onClose={props.onClose}
    >
      <TextField
        label="URL"
        type="url"
        value={url}
        onChange={setUrl}
        required
        mono
        autoFocus
        placeholder="https://backend.example/webhooks"
        hint="Private addresses are refused unless webhook_allowed_networks names them."
      />
      <EventFields events={events} onChange={setEvents} />
      <TextField
        label="Channel prefix"
        value={prefix}
        onChange={setPrefix}
        mono
        placeholder="presence-room-"
        hint="Only channels whose names start so. Empty: all channels."
      />
      <fieldset class="stack tight">
        <legend>
          <h3>Headers of its requests</h3>
        </legend>
        {hasHeaders && (
          <Checkbox
            label="Replace the headers"
            hint={`It has ${changed?.headerNames.join(", ")}; the values are never shown again.`}
            checked={replacesHeaders}
            onChange={setReplacesHeaders}
          />
        )}
        {replacesHeaders && <HeaderFields headers={headers} onChange={setHeaders} />}
      </fieldset>
      <Checkbox
        label="Batched"
        hint="A request may hold several events, up to 100. Off: one event a request."
        checked={isBatched}
        onChange={setIsBatched}
      />
      <Checkbox
        label="Enabled"
        hint="While it is off, what waits is kept and nothing is sent."
        checked={enabled}
        onChange={setEnabled}
      />
    </FormDialog>
  );
}

function EventFields(props: { events: WebhookEventName[]; onChange: (events: WebhookEventName[]) => void }) {
  const set = (name: WebhookEventName, isOn: boolean): void =>
    props.onChange(isOn ? [...props.events, name] : props.events.filter((each) => each !== name));
  return (
    <fieldset class="stack tight">
      <legend>
        <h3>Events</h3>
      </legend>
      {WEBHOOK_EVENTS.map(([name, hint]) => (
        <Checkbox
          key={name}
          label={name}
          hint={hint}
          checked={props.events.includes(name)}
          onChange={(isOn) => set(name, isOn)}
        />
      ))}
    </fieldset>
  );
}
