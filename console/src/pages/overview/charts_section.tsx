import { Button } from "../../components/button";
import { Choice } from "../../components/choice";
import type { Figures, Grain } from "../../state/use_figures";
import { FigureCharts } from "./figure_charts";

const GRAINS: { value: Grain; text: string }[] = [
  { value: "second", text: "Last hour" },
  { value: "hour", text: "Last month" },
];

/** The curves with the choice of how far back they go; their place is kept while they are loaded. */
export function ChartsSection(props: {
  figures: Figures;
  grain: Grain;
  onGrain: (grain: Grain) => void;
  ofServer: boolean;
}) {
  const { history, version, error, reload } = props.figures;
  return (
    <section class="stack" aria-label="Charts">
      <div class="row apart">
        <h2>How it went</h2>
        <Choice label="How far back" value={props.grain} options={GRAINS} onChange={props.onGrain} />
      </div>
      {error && (
        <div class="message bad row apart" role="alert">
          <span>{error.message}</span>
          <Button small onPress={reload}>
            Try again
          </Button>
        </div>
      )}
      {history ? (
        <FigureCharts history={history} version={version} ofServer={props.ofServer} />
      ) : (
        <div class="charts-to-come" aria-busy={error === undefined} />
      )}
    </section>
  );
}
