import { useState } from "preact/hooks";
import type { PlanDetails } from "../../api/administration";
import { get, path, remove } from "../../api/client";
import type { Limits } from "../../api/types";
import { Badge } from "../../components/badge";
import { Button } from "../../components/button";
import { ConfirmButton } from "../../components/dialog";
import { limitText } from "../../components/limit_fields";
import { Loading } from "../../components/loading";
import { Page } from "../../components/page";
import { Table } from "../../components/table";
import { tell } from "../../components/toasts";
import { LIMIT_GROUPS } from "../../limits";
import { isOwner } from "../../state/session";
import { useLoaded } from "../../state/use_loaded";
import { PlanDialog } from "./plan_dialog";

const UNLIMITED = "unlimited";

type Open = { plan: PlanDetails | null } | null;

/** The plans: named sets of limits. */
export function Plans() {
  const [open, setOpen] = useState<Open>(null);
  const plans = useLoaded((signal) => get<{ plans: PlanDetails[] }>("/plans", {}, signal), []);
  const close = (): void => setOpen(null);
  const saved = (plan: PlanDetails): void => {
    close();
    tell(`The plan ${plan.name} is saved.`);
    plans.reload();
  };
  const erase = async ({ name }: PlanDetails): Promise<void> => {
    await remove(path`/plans/${name}`);
    tell(`The plan ${name} is deleted.`);
    plans.reload();
  };
  return (
    <Page
      title="Plans"
      lead="A plan is a named set of limits. An app has one, and may have limits of its own over it."
      actions={
        isOwner.value && (
          <Button look="primary" onPress={() => setOpen({ plan: null })}>
            Create a plan
          </Button>
        )
      }
    >
      <Loading of={plans}>
        {(list) => (
          <>
            <PlanTable plans={list.plans} onEdit={(plan) => setOpen({ plan })} onDelete={erase} />
            {open && (
              <PlanDialog
                changed={open.plan}
                names={list.plans.map(({ name }) => name)}
                inherited={inheritedLimits(list.plans)}
                onSaved={saved}
                onClose={close}
              />
            )}
          </>
        )}
      </Loading>
      <p class="muted">
        Plans marked “Configured” come with the server or from its configuration. A change here goes over them; deleting the
        change brings them back.
      </p>
    </Page>
  );
}

/**
 * What holds where a plan of the database says nothing: the configuration's "unlimited". One of the database hides it;
 * then every limit has to be said.
 */
function inheritedLimits(plans: PlanDetails[]): Limits {
  const unlimited = plans.find(({ name }) => name === UNLIMITED);
  return unlimited?.source === "configuration" ? unlimited.limits : {};
}

/** A column for each plan, a line for each limit: plans are there to be compared. */
function PlanTable(props: {
  plans: PlanDetails[];
  onEdit: (plan: PlanDetails) => void;
  onDelete: (plan: PlanDetails) => Promise<void>;
}) {
  const limits = LIMIT_GROUPS.flatMap((group) => group.limits);
  return (
    <>
      <Table
        label="Limits of the plans"
        rows={limits}
        rowKey={({ name }) => name}
        columns={[
          { title: "Limit", isHead: true, cell: ({ label }) => label },
          ...props.plans.map((plan) => ({
            title: plan.name,
            isNumber: true,
            cell: (limit: (typeof limits)[number]) => limitText(plan.limits[limit.name], limit),
          })),
        ]}
      />
      <Table
        label="Plans"
        rows={props.plans}
        rowKey={({ name }) => name}
        columns={[
          { title: "Plan", isHead: true, cell: ({ name }) => name },
          { title: "Where it is set", cell: (plan) => <Badge>{plan.source === "configuration" ? "Configured" : "Here"}</Badge> },
          ...(isOwner.value ? [actions(props.onEdit, props.onDelete)] : []),
        ]}
      />
    </>
  );
}

const actions = (onEdit: (plan: PlanDetails) => void, onDelete: (plan: PlanDetails) => Promise<void>) => ({
  title: "Actions",
  cell: (plan: PlanDetails) => (
    <span class="row">
      <Button small label={`Edit ${plan.name}`} onPress={() => onEdit(plan)}>
        Edit
      </Button>
      {plan.source === "database" && (
        <ConfirmButton
          small
          label={`Delete ${plan.name}`}
          question={`Delete the plan ${plan.name}?`}
          explanation="A plan that apps have cannot be deleted, unless the configuration has one of this name, which then holds again."
          confirm="Delete the plan"
          onConfirm={() => onDelete(plan)}
        >
          Delete
        </ConfirmButton>
      )}
    </span>
  ),
});
