import { useState } from "preact/hooks";
import { useLocation } from "wouter-preact";
import type { PlanDetails } from "../../api/administration";
import { get, patch, path, remove } from "../../api/client";
import type { AppDetails } from "../../api/types";
import { AppOptionFields, type AppOptions } from "../../components/app_options";
import { Button } from "../../components/button";
import { Configured } from "../../components/configured";
import { ConfirmButton } from "../../components/dialog";
import { Checkbox, Form, Select } from "../../components/field";
import { LimitFields, limitsTyped, typedLimits } from "../../components/limit_fields";
import { Loading } from "../../components/loading";
import { Card, Page } from "../../components/page";
import { tell, tellError } from "../../components/toasts";
import { isOwner } from "../../state/session";
import { useLoaded } from "../../state/use_loaded";

interface Both {
  app: AppDetails;
  plans: PlanDetails[];
}

/** What of an app can be set. */
export function AppSettings(props: { params: { appId: string } }) {
  const { appId } = props.params;
  const loaded = useLoaded<Both>(
    async (signal) => {
      const [app, { plans }] = await Promise.all([
        get<AppDetails>(path`/apps/${appId}`, {}, signal),
        get<{ plans: PlanDetails[] }>("/plans", {}, signal),
      ]);
      return { app, plans };
    },
    [appId],
  );
  return (
    <Page title="Settings" lead="Changes are effective on all nodes within a second.">
      <Loading of={loaded}>
        {({ app, plans }) => (
          <>
            {app.source === "configuration" && <Configured what="it" />}
            {!isOwner.value && <p class="message">Your token is read-only: you see the settings and cannot change them.</p>}
            <SettingsForm
              key={app.id}
              app={app}
              plans={plans}
              onSaved={(saved) => loaded.replace({ app: saved, plans })}
            />
            {isOwner.value && app.source === "database" && <DeleteApp appId={app.id} />}
          </>
        )}
      </Loading>
    </Page>
  );
}

function SettingsForm(props: { app: AppDetails; plans: PlanDetails[]; onSaved: (app: AppDetails) => void }) {
  const { app, plans } = props;
  const [plan, setPlan] = useState(app.plan);
  const [enabled, setEnabled] = useState(app.enabled);
  const [options, setOptions] = useState<AppOptions>(app);
  const [typed, setTyped] = useState(typedLimits(app.limits));
  const [isBusy, setIsBusy] = useState(false);
  const isFixed = !isOwner.value || app.source === "configuration";
  const save = async (): Promise<void> => {
    const { clientEvents, subscriptionCounts, requiresSignIn, tlsOnly } = options;
    const body = { plan, enabled, clientEvents, subscriptionCounts, requiresSignIn, tlsOnly, limits: limitsTyped(typed) };
    setIsBusy(true);
    try {
      props.onSaved(await patch<AppDetails>(path`/apps/${app.id}`, body));
      tell("The settings are saved.");
    } catch (error) {
      tellError(error);
    } finally {
      setIsBusy(false);
    }
  };
  return (
    <Form onSubmit={() => void save()} label="Settings">
      <Card title="Options">
        <Checkbox
          label="Enabled"
          hint="While it is off, the app has no connections and takes no requests."
          checked={enabled}
          onChange={setEnabled}
          disabled={isFixed}
        />
        <AppOptionFields options={options} onChange={setOptions} disabled={isFixed} />
      </Card>
      <Card title="Plan and limits">
        <Select
          label="Plan"
          value={plan}
          options={planNames(plans, app.plan).map((name) => ({ value: name, text: name }))}
          onChange={setPlan}
          disabled={isFixed}
          hint="A field below that is empty has the plan's value, which it shows."
        />
        <LimitFields
          typed={typed}
          inherited={plans.find(({ name }) => name === plan)?.limits ?? {}}
          onChange={setTyped}
          disabled={isFixed}
        />
      </Card>
      {!isFixed && (
        <div class="row">
          <Button type="submit" look="primary" disabled={isBusy}>
            Save the settings
          </Button>
        </div>
      )}
    </Form>
  );
}

/** The plans' names, and the app's own even where its plan is gone. */
const planNames = (plans: PlanDetails[], own: string): string[] => [...new Set([...plans.map(({ name }) => name), own])];

function DeleteApp(props: { appId: string }) {
  const [, navigate] = useLocation();
  const erase = async (): Promise<void> => {
    await remove(path`/apps/${props.appId}`);
    tell(`The app ${props.appId} is deleted.`);
    navigate("/apps");
  };
  return (
    <Card title="Delete the app">
      <p class="muted">Its connections end, and its keys and webhooks are gone for good. What it has used stays on record.</p>
      <div>
        <ConfirmButton
          question={`Delete the app ${props.appId}?`}
          explanation="Within a second its connections end and its keys are good for nothing. It cannot be undone."
          typed={props.appId}
          confirm="Delete the app"
          onConfirm={erase}
        >
          Delete the app
        </ConfirmButton>
      </div>
    </Card>
  );
}
