/** Rows of a batch that leave and prompts that join, seen by their numbers. More ports than are put together in one run. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { GpuMemory } from '../../../actors/inference/gpu/gpu-memory.ts';
import { loadSmallGraph, node, smallGraph } from '../../../actors/inference/gpu/small-graph.ts';
import type { Tensors } from '../../../actors/inference/graph-session.ts';
import { Tensor } from '../../../actors/inference/onnxruntime.ts';
import { floatData, OrtSession } from '../../../actors/inference/ort-session.ts';
import { GpuAssembly, type GpuRow } from '../../../actors/pd/kv-cache/gpu/gpu-assembly.ts';
import type { FreePlaces } from '../../../actors/pd/kv-cache/gpu/gpu-batch.ts';
import { GpuPromptKv } from '../../../actors/pd/kv-cache/gpu/gpu-prompt-kv.ts';
import type { KvPort } from '../../../actors/pd/kv-cache/kv-signature.ts';

const PORTS = Array.from({ length: 10 }, (_, index): KvPort => {
  const name = `${Math.floor(index / 2)}.${index % 2 === 0 ? 'key' : 'value'}`;
  return { past: `past.${name}`, present: `present.${name}`, type: 'float32', heads: 1, headDim: 1 };
});

describe('putting the batch together on the GPU', () => {
  let gpu: GpuMemory;
  let up: OrtSession;
  let down: OrtSession;

  before(async () => {
    gpu = await GpuMemory.own('webgpu', 'a test');
    const copy = {
      inputs: [['from', 'float32', 4]],
      nodes: [node('Identity', ['from'], 'to')],
      outputs: [['to', 'float32', 4]],
    } as const;
    up = await loadSmallGraph(copy, gpu);
    down = await OrtSession.load(smallGraph(copy), { threads: 1, gpu });
  });
  after(async () => {
    await up.release();
    await down.release();
    gpu.release();
  });

  /** Rows of numbers on the GPU, 100 more in every further port. */
  async function onGpu(name: 'past' | 'present', rows: readonly (readonly number[])[]): Promise<Tensors> {
    const tensors: Tensors = {};
    for (const [index, port] of PORTS.entries()) {
      const numbers = Float32Array.from(rows.flat(), (value) => (value === 0 ? 0 : value + 100 * index));
      const from = new Tensor('float32', numbers, [rows.length, 1, rows[0]?.length ?? 0, 1]);
      const { to } = await up.run({ from }, ['to']);
      assert(to !== undefined);
      tensors[port[name]] = to;
    }
    return tensors;
  }

  async function numbersOf(tensors: Tensors, index: number): Promise<number[][]> {
    const from = tensors[PORTS[index]?.past ?? ''];
    assert(from !== undefined);
    const numbers = [...floatData((await down.run({ from }, ['to'])).to)];
    const [rows = 0, , places = 0] = from.dims;
    return Array.from({ length: rows }, (_, row) => numbers.slice(row * places, (row + 1) * places));
  }

  async function draftOf(numbers: readonly number[]): Promise<GpuPromptKv> {
    const draft = new GpuPromptKv(PORTS, gpu, {});
    draft.take(await onGpu('present', [numbers]), 0, numbers.length);
    return draft;
  }

  const CASES: readonly [FreePlaces, number[][], number[][]][] = [
    [
      'right',
      [
        [1, 2, 3, 0],
        [4, 5, 6, 7],
        [8, 0, 0, 0],
      ],
      [
        [21, 22, 23],
        [8, 0, 0],
        [1, 2, 3],
      ],
    ],
    [
      'left',
      [
        [0, 1, 2, 3],
        [4, 5, 6, 7],
        [0, 0, 0, 8],
      ],
      [
        [21, 22, 23],
        [0, 0, 8],
        [1, 2, 3],
      ],
    ],
  ];

  for (const [free, batch, expected] of CASES) {
    it(`keeps every row's numbers, with free places on the ${free}`, async () => {
      const live = gpu.stats().liveBuffers;
      const assembly = await GpuAssembly.load(PORTS, free, gpu);
      const old = await onGpu('past', batch);
      const draft = await draftOf([21, 22, 23]);
      // The longest row has left, a prompt has joined and stands first, and the other two have changed places.
      const rows: GpuRow[] = [
        { at: draft, length: 3 },
        { at: 2, length: 1 },
        { at: 0, length: 3 },
      ];
      const assembled = await assembly.assemble(old, rows, 3);
      for (const index of PORTS.keys()) {
        const shifted = expected.map((row) => row.map((value) => (value === 0 ? 0 : value + 100 * index)));
        assert.deepEqual(await numbersOf(assembled, index), shifted);
      }
      // What it needed on the way is freed: the old batch, the draft and the result are left.
      assert.equal(gpu.stats().liveBuffers - live, 3 * PORTS.length);
      gpu.dispose([...Object.values(old), ...Object.values(assembled)]);
      draft.dispose();
      assert.equal(gpu.stats().liveBuffers, live);
      await assembly.release();
    });
  }

  it('frees what it made when a run fails, and leaves batch and prompt as they were', async () => {
    const live = gpu.stats().liveBuffers;
    const assembly = await GpuAssembly.load(PORTS, 'right', gpu);
    const old = await onGpu('past', [
      [1, 2],
      [3, 4],
    ]);
    const draft = await draftOf([5, 6]);
    // In the second run, after the first has made its part: this one has too few dimensions.
    const last = PORTS.at(-1)?.past ?? '';
    const { [last]: right } = old;
    old[last] = new Tensor('float32', new Float32Array(2), [2, 1, 1]);
    const rows: GpuRow[] = [
      { at: 1, length: 2 },
      { at: draft, length: 2 },
    ];
    const held = gpu.stats().liveBuffers;
    await assert.rejects(assembly.assemble(old, rows, 2));
    assert.equal(gpu.stats().liveBuffers, held);
    assert.deepEqual(await numbersOf(old, 0), [
      [1, 2],
      [3, 4],
    ]);
    gpu.dispose([...Object.values(old), right]);
    draft.dispose();
    await assembly.release();
    assert.equal(gpu.stats().liveBuffers, live);
  });
});
