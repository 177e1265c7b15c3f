// What Grafana's application gives to its packages: data sources, its server, and how queries are run.
import { from } from 'rxjs';
import { map } from 'rxjs/operators';
import {
  EventBusSrv, LoadingState, displayNameOverrideProcessor, identityOverrideProcessor, numberOverrideProcessor,
  preProcessPanelData, setTimeZoneResolver, standardEditorsRegistry, standardFieldConfigEditorRegistry,
  unitOverrideProcessor,
} from '@grafana/data';
import {
  DataSourceWithBackend, setAppEvents, setBackendSrv, setDataSourceSrv, setEchoSrv, setPluginImportUtils,
  setRunRequest, setTemplateSrv,
} from '@grafana/runtime';
import { sceneGraph } from '@grafana/scenes';

let scene;
const interpolate = (text, scoped, format) => sceneGraph.interpolate(scene, text, scoped, format);

/** Variables have their values from this scene. */
export function setScene(shown) {
  scene = shown;
}

/** What a plugin says of itself. */
export function describe(id, more) {
  const info = { logos: { small: '', large: '' }, links: [], screenshots: [], author: { name: '' }, version: '' };
  return { id, name: id, module: '', baseUrl: '', info, ...more };
}

/** A property of fields that dashboards set: nobody edits it here, so that it has no editor. */
export function property(path, process = identityOverrideProcessor, more = {}) {
  const editor = () => null;
  return { id: path, path, name: path, editor, override: editor, process, shouldApply: () => true, ...more };
}

// Queries go to the server as those of each data source that has a part there.
class SqlSource extends DataSourceWithBackend {
  applyTemplateVariables(query, scoped) {
    return { ...query, rawSql: interpolate(query.rawSql, scoped) };
  }
}

function provideSources(sources) {
  const settings = sources.map((source, index) => ({
    ...source, id: index + 1, access: 'proxy', jsonData: {}, meta: describe(source.type, { type: 'datasource', metrics: true }),
  }));
  const find = (reference, scoped) => {
    const uid = interpolate(reference?.uid ?? reference, scoped);
    const found = settings.find((source) => source.uid === uid);
    if (!found) throw new Error(`there is no data source ${uid}`);
    return found;
  };
  setDataSourceSrv({
    get: async (reference, scoped) => new SqlSource(find(reference, scoped)),
    getInstanceSettings: find,
    getList: ({ pluginId }) => settings.filter((source) => source.type === pluginId),
    reload() {},
  });
}

async function send({ url, method, data }) {
  const response = await fetch(url, { method, body: JSON.stringify(data), headers: { 'Content-Type': 'application/json' } });
  const answer = { data: await response.json(), ok: response.ok, status: response.status };
  if (!response.ok) throw answer;
  return answer;
}

/** Provide all of it for a dashboard on these data sources, with these kinds of panels. */
export function provide(board, sources, panels) {
  setTimeZoneResolver(() => board.timezone);
  setAppEvents(new EventBusSrv());
  setEchoSrv({ addEvent() {}, addBackend() {}, flush() {} });
  setTemplateSrv({ replace: interpolate, getVariables: () => [], containsTemplate: () => false, updateTimeRange() {} });
  provideSources(sources);
  setBackendSrv({ fetch: (request) => from(send(request)) });
  setRunRequest((source, request) => from(source.query(request)).pipe(map(({ data, errors }) => preProcessPanelData({
    request, series: data, errors, error: errors?.[0], timeRange: request.range, annotations: [],
    state: errors?.length ? LoadingState.Error : LoadingState.Done,
  }))));
  setPluginImportUtils({
    getPanelPluginFromCache: (id) => panels[id],
    importPanelPlugin: async (id) => {
      if (!panels[id]) throw new Error(`there is no panel ${id}`);
      return panels[id];
    },
  });
}

standardEditorsRegistry.setInit(() => []);
standardFieldConfigEditorRegistry.setInit(() => [
  property('unit', unitOverrideProcessor),
  property('displayName', displayNameOverrideProcessor),
  ...['min', 'max', 'decimals'].map((path) => property(path, numberOverrideProcessor)),
  ...['color', 'noValue', 'links', 'actions', 'mappings', 'thresholds', 'filterable', 'fieldMinMax'].map((path) => property(path)),
]);
