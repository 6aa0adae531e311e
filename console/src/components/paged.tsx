import type { ComponentChildren } from "preact";
import type { Paged } from "../state/use_paged";
import { Button } from "./button";
import { Loading } from "./loading";

/** A list that is loaded page by page: what was loaded so far, and a button for more. */
export function PagedList<Row>(props: { of: Paged<Row>; children: (rows: Row[]) => ComponentChildren }) {
  const { rows, error, reload, loadMore } = props.of;
  return (
    <>
      <Loading of={{ value: rows, error, reload, replace: () => undefined }}>{props.children}</Loading>
      {rows && loadMore && (
        <div>
          <Button onPress={loadMore}>Load more</Button>
        </div>
      )}
    </>
  );
}
