/** Stands where the buttons would be: an app of the configuration is changed there. */
export function Configured(props: { what: string }) {
  return (
    <p class="message">
      This app is set in the configuration, so {props.what} cannot be changed here. Edit <code>[[apps]]</code> in{" "}
      <code>skubber.toml</code> (or <code>SKUBBER_APPS</code>, or <code>--app</code>) and restart the server. Apps made
      here or with <code>skubber apps create</code> can be changed while it runs.
    </p>
  );
}
