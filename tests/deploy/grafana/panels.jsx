// The kinds of panels that dashboards have: what draws them is Grafana's, what joins it to panels is not published.
import { FieldColorModeId, FieldConfigProperty, LoadingState, PanelPlugin } from '@grafana/data';
import { TimeSeries } from '@grafana/ui';
import { TableNG } from '@grafana/ui/unstable';
import { describe, property } from './host';

// Grafana's own values of what a dashboard does not say.
const LINES = { drawStyle: 'line', lineInterpolation: 'linear', lineWidth: 1, fillOpacity: 0, pointSize: 5, showPoints: 'auto', axisPlacement: 'auto' };
const LEGEND = { showLegend: true, displayMode: 'list', placement: 'bottom', calcs: [] };

function drawing(Component) {
  return (props) => {
    const { series, state } = props.data;
    return state === LoadingState.Done && series.every((frame) => !frame.length) ? <p>No data</p> : <Component {...props} />;
  };
}

function Lines({ data, options, ...place }) {
  const legend = { ...LEGEND, ...options.legend };
  return <TimeSeries {...place} frames={data.series} structureRev={data.structureRev} options={options} legend={legend} />;
}

function Rows({ data, width, height }) {
  const config = { defaults: {}, overrides: [] };
  return <TableNG data={data.series[0]} structureRev={data.structureRev} width={width} height={height} timeRange={data.timeRange} fieldConfig={config} />;
}

const timeseries = new PanelPlugin(drawing(Lines)).useFieldConfig({
  standardOptions: { [FieldConfigProperty.Color]: { defaultValue: { mode: FieldColorModeId.PaletteClassic } } },
  useCustomConfig: (builder) => {
    for (const [path, defaultValue] of Object.entries(LINES)) builder.addCustomEditor(property(path, undefined, { defaultValue }));
    const shouldApply = (field) => field.type !== 'time';
    for (const path of ['spanNulls', 'insertNulls']) builder.addCustomEditor(property(path, undefined, { defaultValue: false, shouldApply }));
  },
});
const table = new PanelPlugin(drawing(Rows)).useFieldConfig({});

export const panels = { timeseries, table };
for (const [id, plugin] of Object.entries(panels)) plugin.meta = describe(id, { type: 'panel' });
