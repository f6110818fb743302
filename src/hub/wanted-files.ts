/**
 * Which files of a repository serving needs: its configuration and tokenizer, and of each graph the file of one precision
 * with the data beside it. The repositories hold each graph in up to eight precisions, so this is a small part of them.
 */
import { basename } from 'node:path';
import {
  DTYPES,
  type Dtype,
  type FoundGraph,
  findGraph,
  type GraphRole,
} from '../../actors/model/graph-files.ts';
import { noOnnxFiles } from './hub-errors.ts';
import type { HubFile } from './hub-repository.ts';

export interface WantedFiles {
  /** Small: read before anything large is fetched. */
  readonly configuration: readonly HubFile[];
  readonly graphs: readonly HubFile[];
  /** Files with weights that are named for a graph. */
  readonly data: readonly HubFile[];
  /** In the same folder, neither a graph nor named for one: a graph may name them. */
  readonly others: readonly HubFile[];
}

export const GRAPH_FOLDER = 'onnx';
const ROLES: readonly GraphRole[] = ['vision', 'embed', 'decoder'];

/** Whatever a family may read. Weights of other formats have an index, which is none of it. */
const CONFIGURATION = /^(?!.*\.index\.json$)[^/]+\.(?:json|jinja)$/;

/**
 * @param id for errors
 * @param dtype of the graphs; the best there is when undefined
 * @throws ModelError `MODEL_HAS_NO_ONNX`, `MODEL_DTYPE_MISSING`
 */
export function wantedFiles(files: readonly HubFile[], id: string, dtype: Dtype | undefined): WantedFiles {
  const inFolder = new Map(
    files
      .filter(({ path }) => path.startsWith(`${GRAPH_FOLDER}/`) && path.split('/').length === 2)
      .map((file) => [file.path.slice(GRAPH_FOLDER.length + 1), file]),
  );
  const chosen = chosenGraphs(new Set(inFolder.keys()), `${id}/${GRAPH_FOLDER}`, dtype);
  if (!chosen.has('decoder')) throw noOnnxFiles(id);
  const graphs: HubFile[] = [];
  const data: HubFile[] = [];
  for (const { path } of chosen.values()) {
    const name = basename(path);
    for (const [other, file] of inFolder) {
      if (other === name) graphs.push(file);
      else if (isDataOf(name, other)) data.push(file);
    }
  }
  const names = [...inFolder.keys()];
  const others = names
    .filter((name) => !name.endsWith('.onnx') && !names.some((graph) => isDataOf(graph, name)))
    .flatMap((name) => inFolder.get(name) ?? []);
  return { configuration: files.filter(({ path }) => CONFIGURATION.test(path)), graphs, data, others };
}

/** `x.onnx_data`, `x.onnx_data_1`, `x.onnx.data` */
function isDataOf(graph: string, name: string): boolean {
  return graph.endsWith('.onnx') && (name.startsWith(`${graph}_data`) || name.startsWith(`${graph}.data`));
}

function chosenGraphs(
  names: ReadonlySet<string>,
  folder: string,
  dtype: Dtype | undefined,
): ReadonlyMap<GraphRole, FoundGraph> {
  const found = ROLES.map((role) => [role, findGraph(folder, names, role, dtype)] as const);
  return new Map(found.filter((entry): entry is readonly [GraphRole, FoundGraph] => entry[1] !== null));
}

/**
 * The precisions in which every graph that is there at all is there.
 *
 * @param names in the folder of graphs
 */
export function wholeDtypes(names: ReadonlySet<string>): {
  dtypes: readonly Dtype[];
  roles: readonly GraphRole[];
} {
  const roles = [...chosenGraphs(names, '', undefined).keys()];
  const dtypes = DTYPES.filter((dtype) => roles.every((role) => hasGraph(names, role, dtype)));
  return { dtypes: roles.length === 0 ? [] : dtypes, roles };
}

function hasGraph(names: ReadonlySet<string>, role: GraphRole, dtype: Dtype): boolean {
  try {
    return findGraph('', names, role, dtype) !== null;
  } catch {
    return false; // of another precision only
  }
}
