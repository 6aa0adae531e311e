import { Link } from "wouter-preact";
import { Empty, Page } from "../components/page";

/** Where there is no page. */
export function NotFound() {
  return (
    <Page title="There is no such page">
      <Empty title="Perhaps it was moved" action={<Link href="/">To the overview</Link>}>
        The address may be mistyped, or what it showed is gone: a channel is there only while somebody is subscribed.
      </Empty>
    </Page>
  );
}
