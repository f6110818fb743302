/** Reads from a decoder's inputs how its keys and values are named and shaped. */
import type { GraphSession, TensorSpec } from '../../inference/graph-session.ts';

/** One `past_key_values.N.{key,value}` input, or one of several of them, with the output that goes on from it. */
export interface KvPort {
  readonly past: string;
  /** `present.N.{key,value}`, past and new tokens; of a rewritten decoder `new.N.{key,value}`, the new ones alone. */
  readonly present: string;
  readonly type: 'float32' | 'float16';
  readonly heads: number;
  readonly headDim: number;
}

export interface KvGeometry {
  readonly kvHeads: number;
  readonly headDim: number;
}

const PAST = /^past_key_values\.(\d+\.(?:key|value)|stack\.\d+)$/;

/**
 * @param geometry from the model's configuration, for dimensions that the graph leaves open
 * @returns one port per layer and kind, or per stack of them, in the graph's order
 * @throws TypeError when an input is of an unknown type or has no output to go with it
 */
export function kvPorts(session: GraphSession, geometry: KvGeometry): KvPort[] {
  const ports: KvPort[] = [];
  for (const spec of session.inputs.values()) {
    const suffix = PAST.exec(spec.name)?.[1];
    if (suffix === undefined) continue;
    const rewritten = session.outputs.has(`new.${suffix}`);
    ports.push(portOf(spec, `${rewritten ? 'new' : 'present'}.${suffix}`, session, geometry));
  }
  if (ports.length === 0) throw new TypeError('the decoder has no past_key_values.N.key inputs');
  return ports;
}

/** Bytes that one token takes in all layers. */
export function bytesPerToken(ports: readonly KvPort[]): number {
  return ports.reduce(
    (sum, { heads, headDim, type }) => sum + heads * headDim * (type === 'float32' ? 4 : 2),
    0,
  );
}

function portOf(past: TensorSpec, present: string, session: GraphSession, geometry: KvGeometry): KvPort {
  if (past.type !== 'float32' && past.type !== 'float16') {
    throw new TypeError(`${past.name} is ${past.type}; float32 and float16 are supported`);
  }
  if (!session.outputs.has(present)) throw new TypeError(`${past.name} has no output ${present}`);
  const heads = fixed(past.shape[1], geometry.kvHeads);
  const headDim = fixed(past.shape[3], geometry.headDim);
  if (past.type === 'float16' && headDim % 2 !== 0) {
    throw new TypeError(`${past.name} has an odd head dimension of ${headDim} in float16`);
  }
  return { past: past.name, present, type: past.type, heads, headDim };
}

function fixed(dimension: number | string | undefined, fallback: number): number {
  return typeof dimension === 'number' ? dimension : fallback;
}
