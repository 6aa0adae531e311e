import { useState } from "preact/hooks";
import { Link } from "wouter-preact";
import { appPage } from "../../addresses";
import { path, post } from "../../api/client";
import type { UserPage, UserSummary } from "../../api/inspection";
import { ConfirmButton } from "../../components/dialog";
import { TextField } from "../../components/field";
import { Loading } from "../../components/loading";
import { Empty, Page } from "../../components/page";
import { Pager } from "../../components/pager";
import { type ColumnOf, Table } from "../../components/table";
import { tell } from "../../components/toasts";
import { number } from "../../format";
import { isOwner } from "../../state/session";
import { useList } from "../../state/use_list";
import { useSettled } from "../../state/use_settled";

const REFRESH_MS = 3000;

/** The users of an app who are connected. */
export function Users({ appId }: { appId: string }) {
  const [prefix, setPrefix] = useState("");
  const list = useList<UserPage>(path`/apps/${appId}/users`, { prefix: useSettled(prefix) }, REFRESH_MS);
  return (
    <Page title="Users" lead="Who is connected with a user id.">
      <TextField label="User id begins with" type="search" value={prefix} onChange={setPrefix} mono />
      <Loading of={list}>
        {(page) => (
          <>
            {page.users.length === 0 ? (
              <Empty title={prefix === "" ? "No user is connected" : "No user id begins so"}>
                A connection has a user once it has signed in; that takes a signature of your back end.
              </Empty>
            ) : (
              <Table label="Users" rows={page.users} rowKey={(user) => user.userId} columns={columns(appId, list.reload)} />
            )}
            <Pager {...list} shown={page.users.length} total={page.total} />
          </>
        )}
      </Loading>
    </Page>
  );
}

function columns(appId: string, reload: () => void): ColumnOf<UserSummary>[] {
  const all: ColumnOf<UserSummary>[] = [
    { title: "User", isHead: true, cell: ({ userId }) => <span class="mono">{userId}</span> },
    {
      title: "Connections",
      isNumber: true,
      cell: ({ userId, connectionCount }) => (
        <Link href={appPage(appId, ["connections"], { userId })} aria-label={`${number(connectionCount)}, connections of ${userId}`}>
          {number(connectionCount)}
        </Link>
      ),
    },
  ];
  if (!isOwner.value) return all;
  return [...all, { title: "End", cell: ({ userId }) => <Terminate appId={appId} userId={userId} onDone={reload} /> }];
}

function Terminate({ appId, userId, onDone }: { appId: string; userId: string; onDone: () => void }) {
  const terminate = async (): Promise<void> => {
    await post(path`/apps/${appId}/users/${userId}/terminate`);
    tell(`All connections of ${userId} were ended.`);
    onDone();
  };
  return (
    <ConfirmButton
      small
      label={`Terminate ${userId}`}
      question={`Terminate ${userId}?`}
      explanation="All connections of this user are closed, on all nodes. Clients are told that the application has ended them (code 4009 in the Pusher protocol) and do not come back by themselves; nothing keeps the user from connecting anew."
      confirm="Terminate"
      onConfirm={terminate}
    >
      Terminate
    </ConfirmButton>
  );
}
