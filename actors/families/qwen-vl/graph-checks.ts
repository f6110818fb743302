/** What is asked of the graphs of a Qwen-VL export before it is served: that images come out right with it. */
import { deepstackNames } from '../../model/deepstack.ts';
import type { TensorSignature } from '../../model/onnx/graph-signature.ts';
import { unsupported } from '../decoder-geometry.ts';
import type { ModelSource } from '../model-source.ts';

const POSITIONS = 'position_ids';
const AXES = 3;
const PIXELS = 'pixel_values';
/** The grid of patches; exports of Qwen2-VL call it by the shorter name. */
const GRIDS = ['image_grid_thw', 'grid_thw'];

/**
 * A decoder that counts positions itself, or takes one for each token, gives the tokens of an image those of text.
 *
 * @throws ModelError MODEL_UNSUPPORTED
 */
export function checkPositions({ path, graphs }: ModelSource): void {
  const positions = graphs.decoder.signature.inputs.find(({ name }) => name === POSITIONS);
  const needs = 'images of this family have positions in time, height and width, [3, batch, sequence]';
  if (positions === undefined) throw unsupported(path, `The decoder takes no ${POSITIONS}: ${needs}`);
  const { dims } = positions;
  const [axes] = dims;
  if (dims.length === AXES && (typeof axes !== 'number' || axes === AXES)) return;
  throw unsupported(path, `The decoder takes ${POSITIONS} [${dims.join(', ')}]: ${needs}`);
}

/**
 * Features for deepstack that the decoder asks for must be made. A decoder that takes none is one of an export without them, as
 * those for transformers.js are: its answers about images are the export's, not the checkpoint's.
 *
 * @returns whether the decoder takes some, or makes them itself
 * @throws ModelError MODEL_UNSUPPORTED
 */
export function hasDeepstack({ path, graphs }: ModelSource): boolean {
  const { vision, decoder } = graphs;
  if (vision === undefined) return true;
  const count = (tensors: readonly TensorSignature[]): number =>
    deepstackNames(tensors.map(({ name }) => name)).length;
  const taken = count(decoder.signature.inputs);
  const made = count(vision.signature.outputs);
  if (taken === 0 || taken === made) return taken > 0;
  throw unsupported(
    path,
    `The decoder takes deepstack_features of ${taken} layers, the vision graph makes ${made}`,
  );
}

export interface GridInput {
  readonly name: string;
  /** Whether the graph takes the grid of one image alone. */
  readonly takesOne: boolean;
}

/** @throws ModelError MODEL_UNSUPPORTED for a graph that is told no grid, and so knows one size */
export function gridInput(source: ModelSource): GridInput {
  for (const name of GRIDS) {
    const grid = source.imageInput(name);
    if (grid !== undefined) return { name, takesOne: grid.dims[0] === 1 };
  }
  throw unsupported(source.path, `The vision graph takes no ${GRIDS[0]}: it knows images of one size only`);
}

/** Values of a patch, where the graph fixes them. */
export function patchValues(source: ModelSource): number | undefined {
  const size = source.imageInput(PIXELS)?.dims.at(-1);
  return typeof size === 'number' && size > 0 ? size : undefined;
}
