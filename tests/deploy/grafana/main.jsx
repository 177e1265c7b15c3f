// A dashboard as Grafana opens it: its JSON as a scene, of which @grafana/scenes makes the page and asks the queries.
import { createRoot } from 'react-dom/client';
import { MemoryRouter } from 'react-router-dom';
import { initPluginTranslations } from '@grafana/i18n';
import { GlobalStyles } from '@grafana/ui';
import {
  DataSourceVariable, EmbeddedScene, SceneControlsSpacer, SceneGridItem, SceneGridLayout, SceneQueryRunner,
  SceneRefreshPicker, SceneTimePicker, SceneTimeRange, SceneVariableSet, VariableValueSelectors, VizPanel,
} from '@grafana/scenes';
import { provide, setScene } from './host';
import { panels } from './panels';

const read = async (path) => (await fetch(path)).json();

function makeVariable({ type, name, label, query, regex, hide, current }) {
  if (type !== 'datasource') throw new Error(`variables of type ${type} are not known here`);
  return new DataSourceVariable({ name, label, regex, hide, pluginId: query, value: current.value, text: current.text });
}

function makePanel({ id, type, title, description, datasource, targets, options, fieldConfig, gridPos: { x, y, w, h } }) {
  const $data = new SceneQueryRunner({ datasource, queries: targets });
  const body = new VizPanel({ key: `panel-${id}`, pluginId: type, title, description, options, fieldConfig, $data });
  return new SceneGridItem({ x, y, width: w, height: h, body });
}

function makeScene({ time, timezone, refresh, templating, panels }) {
  return new EmbeddedScene({
    $timeRange: new SceneTimeRange({ ...time, timeZone: timezone }),
    $variables: new SceneVariableSet({ variables: templating.list.map(makeVariable) }),
    controls: [
      new VariableValueSelectors({}), new SceneControlsSpacer(), new SceneTimePicker({}), new SceneRefreshPicker({ refresh }),
    ],
    body: new SceneGridLayout({ children: panels.map(makePanel) }),
  });
}

await initPluginTranslations('dashboards');
const [board, sources] = await Promise.all([read('/dashboard.json'), read('/sources.json')]);
provide(board, sources, panels);
const scene = makeScene(board);
setScene(scene);
createRoot(document.getElementById('root')).render(
  <MemoryRouter><GlobalStyles /><scene.Component model={scene} /></MemoryRouter>
);
