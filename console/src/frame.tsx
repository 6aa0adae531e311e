import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Link, useLocation, useRoute } from "wouter-preact";
import { Button } from "./components/button";
import { Select } from "./components/field";
import { tellError, Toasts } from "./components/toasts";
import { me, signOut } from "./state/session";
import { type Theme, theme } from "./state/theme";

const SERVER_LINKS = [
  ["/", "Overview"],
  ["/apps", "Apps"],
  ["/nodes", "Nodes"],
  ["/usage", "Usage"],
  ["/plans", "Plans"],
  ["/tokens", "Admin tokens"],
  ["/audit", "Audit log"],
] as const;

const APP_LINKS = [
  ["", "Overview"],
  ["/debug", "Debug console"],
  ["/channels", "Channels"],
  ["/users", "Users"],
  ["/connections", "Connections"],
  ["/keys", "Keys"],
  ["/webhooks", "Webhooks"],
  ["/settings", "Settings"],
] as const;

/** What is around every page: the way to the others, who is signed in, light or dark. */
export function Frame(props: { children: ComponentChildren }) {
  const [isOpen, setIsOpen] = useState(false);
  const [location] = useLocation();
  const [, parameters] = useRoute("/apps/:appId/*?");
  const appId = parameters?.appId;
  useEffect(() => setIsOpen(false), [location]);
  return (
    <>
      <a class="skip" href="#content">
        Skip to the content
      </a>
      <div class="frame">
        <header class="side">
          <div class="side-head">
            <Link class="brand" href="/">
              <img src="/assets/icon.svg" alt="" width="28" height="28" />
              Skubber
            </Link>
            <Button class="menu-button" expanded={isOpen} onPress={() => setIsOpen(!isOpen)}>
              Menu
            </Button>
          </div>
          <div class={`side-body${isOpen ? " open" : ""}`}>
            <nav class="navigation" aria-label="Console">
              <Links links={SERVER_LINKS.map(([to, text]) => [to, text])} location={location} />
              {appId !== undefined && (
                <>
                  <h2>{appId}</h2>
                  <Links
                    links={APP_LINKS.map(([to, text]) => [`/apps/${encodeURIComponent(appId)}${to}`, text])}
                    location={location}
                  />
                </>
              )}
            </nav>
          </div>
          <div class={`side-end side-body${isOpen ? " open" : ""}`}>
            <a href="/docs">API documentation</a>
            <a href="/demo">Demo page</a>
            <Select<Theme>
              label="Colours"
              value={theme.value}
              options={[
                { value: "system", text: "As the system" },
                { value: "light", text: "Light" },
                { value: "dark", text: "Dark" },
              ]}
              onChange={(value) => {
                theme.value = value;
              }}
            />
            <div>
              Signed in as <strong>{me.value?.name}</strong>
              {me.value?.role === "read_only" && <span class="muted"> (read-only)</span>}
            </div>
            <Button small onPress={() => signOut().catch(tellError)}>
              Sign out
            </Button>
          </div>
        </header>
        <main id="content" class="content" tabIndex={-1}>
          {props.children}
        </main>
      </div>
      <Toasts />
    </>
  );
}

function Links(props: { links: [string, string][]; location: string }) {
  return (
    <ul>
      {props.links.map(([to, text], index) => (
        <li key={to}>
          <Link href={to} aria-current={isCurrent(props.location, to, index === 0) ? "page" : undefined}>
            {text}
          </Link>
        </li>
      ))}
    </ul>
  );
}

/** Whether a link leads to where one is, or to a page above; the first link of a list is above all the others. */
function isCurrent(location: string, to: string, isFirst: boolean): boolean {
  if (location === to) return true;
  if (isFirst) return false;
  // An app has links of its own.
  return to !== "/apps" && location.startsWith(`${to}/`);
}
