import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { GraphFile } from '../../../actors/model/graph-files.ts';
import type { Mode } from '../../../src/chat-types.ts';
import { planThreads } from '../../../src/config/thread-plan.ts';
import { type GraphSharing, planSharing, type WeightSharing } from '../../../src/config/weight-sharing.ts';

const MIB = 1024 ** 2;

function graph(mib: number, opTypes: readonly string[] = ['MatMul'], external = false): GraphFile {
  const externalData = external ? [{ location: 'graph.onnx_data', byteLength: mib * MIB }] : [];
  const initializerBytes = { float32: mib * MIB };
  return {
    path: 'graph.onnx',
    dtype: 'fp32',
    signature: { inputs: [], outputs: [], opTypes, externalData, initializerBytes },
  };
}

interface Case {
  readonly mode?: Mode;
  readonly encoders?: number;
  readonly pds?: number;
  readonly sharing?: WeightSharing;
  readonly embed?: GraphFile;
  readonly decoder?: GraphFile;
}

/** The graphs that are shared, with the reasons for all. */
function shared({ mode = 'disaggregated', encoders = 1, pds = 1, sharing = 'auto', ...graphs }: Case) {
  const all = { vision: graph(100), embed: graph(100), decoder: graph(500), ...graphs };
  const pools = { ...(mode === 'disaggregated' ? { encoder: { count: encoders } } : {}), pd: { count: pds } };
  const plan = planThreads(mode, pools, { cores: 8, weightBytes: 700 * MIB });
  const decided = planSharing(mode, { graphs: all }, plan, sharing);
  const why = (wanted: GraphSharing['graph']) => decided.find((one) => one.graph === wanted)?.why ?? '';
  return { graphs: decided.filter(({ share }) => share).map((one) => one.graph), why };
}

describe('sharing weights', () => {
  it('is done for a graph that is loaded once, so that its weights are mapped', () => {
    const { graphs, why } = shared({});
    assert.deepEqual(graphs, ['vision', 'embed', 'decoder']);
    assert.match(why('decoder'), /mapped/);
  });

  it('is not done for a graph that is loaded once and is large on disk', () => {
    const { graphs, why } = shared({ decoder: graph(513) });
    assert.deepEqual(graphs, ['vision', 'embed']);
    assert.match(why('decoder'), /one actor alone/);
  });

  it('is done for the graphs that several actors load', () => {
    const decoder = graph(1000);
    assert.deepEqual(shared({ pds: 2, decoder }).graphs, ['vision', 'embed', 'decoder']);
    assert.deepEqual(shared({ encoders: 2, decoder }).graphs, ['vision', 'embed']);
    assert.match(shared({ pds: 2, decoder }).why('decoder'), /\d actors/);
    assert.match(shared({ mode: 'aggregated', pds: 2 }).why('vision'), /\d actors/);
  });

  it('counts a second session of the first of several, which has more threads when it works alone', () => {
    const plan = planThreads('aggregated', {}, { cores: 16, weightBytes: 200 * MIB });
    const graphs = { vision: graph(100), embed: graph(100), decoder: graph(100) };
    const counted = planSharing('aggregated', { graphs }, plan, 'auto').map(({ actors }) => actors);
    assert.deepEqual(counted, [9, 8, 9]);
  });

  it('is not done for small graphs', () => {
    const { graphs, why } = shared({ pds: 2, decoder: graph(31) });
    assert.deepEqual(graphs, ['vision', 'embed']);
    assert.match(why('decoder'), /smaller/);
  });

  it('is not done for a table that onnxruntime maps from its file', () => {
    const { graphs, why } = shared({ pds: 2, embed: graph(100, ['Cast', 'Gather'], true) });
    assert.deepEqual(graphs, ['vision', 'decoder']);
    assert.match(why('embed'), /anyway/);
  });

  it('is done for a table that is a part of the graph’s own file', () => {
    assert.deepEqual(shared({ embed: graph(100, ['Gather']) }).graphs, ['vision', 'embed', 'decoder']);
  });

  it('is done or left as it was asked for', () => {
    assert.deepEqual(shared({ sharing: 'always', decoder: graph(1) }).graphs, ['vision', 'embed', 'decoder']);
    assert.deepEqual(shared({ sharing: 'never', pds: 2 }).graphs, []);
  });
});
