import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Device } from '../../../actors/inference/gpu/device.ts';
import type { GraphFile } from '../../../actors/model/graph-files.ts';
import type { PoolOptions } from '../../../src/config/options.ts';
import { planPrefill, withinMemory } from '../../../src/config/prefill-plan.ts';
import { planThreads, type ThreadPlan, threadsBeside } from '../../../src/config/thread-plan.ts';
import { planSharing, type WeightSharing } from '../../../src/config/weight-sharing.ts';

const MIB = 1024 ** 2;
const SHARED = [{ graph: 'decoder', shared: true }] as const;
const NOT_SHARED = [{ graph: 'decoder', shared: false, reason: 'no space' }] as const;

interface Case {
  readonly given?: PoolOptions;
  readonly pd?: PoolOptions;
  readonly cores?: number;
  readonly mib?: number;
  readonly rewritten?: boolean;
  readonly device?: Device;
  readonly sharing?: WeightSharing;
}

function graphsOf(mib: number, rewritten: boolean) {
  const signature = { inputs: [], outputs: [], opTypes: ['MatMul'], externalData: [] };
  const decoder: GraphFile = {
    path: 'decoder.onnx',
    dtype: 'fp32',
    signature: { ...signature, initializerBytes: { float32: mib * MIB } },
  };
  const rewrite = rewritten
    ? {
        rewritten,
        attention: 'split' as const,
        quantization: { byRow: 0, perTensor: 0 },
        path: 'rewritten.onnx',
      }
    : { rewritten, reason: 'unknown operators' };
  return { vision: decoder, embed: decoder, decoder: { ...decoder, rewrite } };
}

function planOf({
  given,
  pd = { count: 1 },
  cores = 8,
  mib = 500,
  rewritten = true,
  ...facts
}: Case = {}): ThreadPlan {
  const { device = 'cpu', sharing = 'auto' } = facts;
  const plan = planThreads('aggregated', { pd }, { cores, weightBytes: mib * MIB });
  const directory = { graphs: graphsOf(mib, rewritten) };
  return planPrefill(plan, given, { directory, device, sharing });
}

const numbers = (plan: ThreadPlan) =>
  plan.prefill && [plan.prefill.count, plan.prefill.threads, threadsBeside(plan)];

describe('an actor that runs prompts beside PD', () => {
  it('takes half of PD’s threads', () => {
    assert.deepEqual(numbers(planOf({ cores: 2 })), [1, 1, 1]);
    assert.deepEqual(numbers(planOf({ cores: 8 })), [1, 4, 4]);
    assert.deepEqual(numbers(planOf({ cores: 7 })), [1, 3, 4]);
  });

  it('is one for each PD actor', () => {
    assert.deepEqual(numbers(planOf({ cores: 8, pd: { count: 2 } })), [2, 2, 2]);
  });

  it('is not there where it would not help, or weights would be there thrice', () => {
    const none: readonly Case[] = [
      { cores: 1 },
      { mib: 60 },
      { rewritten: false },
      { device: 'webgpu' },
      { sharing: 'never' },
      { given: { count: 0 } },
    ];
    for (const one of none) assert.equal(planOf(one).prefill, undefined, JSON.stringify(one));
  });

  it('is as it was asked for', () => {
    assert.deepEqual(numbers(planOf({ cores: 1, mib: 5, given: { count: 1 } })), [1, 1, 1]);
    assert.deepEqual(numbers(planOf({ given: { threads: 2 } })), [1, 2, 6]);
    assert.deepEqual(numbers(planOf({ given: { count: 2, threads: 3 } })), [2, 3, 2]);
  });

  it('is refused where it could do nothing, with the field and what to do', () => {
    const given = { count: 1 };
    const refused = (message: RegExp) => ({ code: 'INVALID_OPTION', message });
    assert.throws(() => planOf({ given, device: 'webgpu' }), refused(/^prefill\.count: .*GPU.*give 0/));
    assert.throws(() => planOf({ given, rewritten: false }), refused(/^prefill\.count: .*rewritten/));
  });

  it('loads the decoder that PD loads twice: the three share its weights', () => {
    const sharing = planSharing('aggregated', { graphs: graphsOf(500, true) }, planOf(), 'auto');
    assert.deepEqual(
      sharing.map(({ graph, actors, share }) => [graph, actors, share]),
      [
        ['vision', 1, true],
        ['embed', 1, true],
        ['decoder', 3, true],
      ],
    );
  });

  it('is left out when the weights cannot be shared, unless it was asked for', () => {
    assert.equal(withinMemory(planOf(), undefined, NOT_SHARED).prefill, undefined);
    assert.ok(withinMemory(planOf(), undefined, SHARED).prefill);
    assert.ok(withinMemory(planOf(), { count: 1 }, NOT_SHARED).prefill);
  });
});
