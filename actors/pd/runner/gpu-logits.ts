/**
 * Logits that stay on the GPU until somebody draws from them. onnxruntime-node cannot leave out in one run of a session what
 * it fetched in another ("Output count mismatch", 1.30), and to fetch them always is 200 KB a row at a vocabulary of 50,000. So
 * the decoder leaves them there always, and they come by a run of their own.
 */
import type { GpuMemory } from '../../inference/gpu/gpu-memory.ts';
import { node, smallGraph } from '../../inference/gpu/small-graph.ts';
import type { GraphSession, TensorSpec, Tensors } from '../../inference/graph-session.ts';
import { OrtSession } from '../../inference/ort-session.ts';

export class GpuLogits {
  readonly #session: GraphSession;
  readonly #gpu: GpuMemory;

  private constructor(session: GraphSession, gpu: GpuMemory) {
    this.#session = session;
    this.#gpu = gpu;
  }

  /** @param spec of the decoder's output */
  static async load(spec: TensorSpec | undefined, gpu: GpuMemory): Promise<GpuLogits> {
    const type = spec?.type === 'float16' ? 'float16' : 'float32';
    const graph = smallGraph({
      inputs: [['given', type, 3]],
      nodes: [node('Identity', ['given'], 'logits')],
      outputs: [['logits', type, 3]],
    });
    return new GpuLogits(await OrtSession.load(graph, { threads: 1, gpu }), gpu);
  }

  /** Frees them there. @returns a run's outputs, with logits on the host or, where they are not wanted, without */
  async take({ logits: given, ...others }: Tensors, wanted: boolean): Promise<Tensors> {
    try {
      if (!wanted || given === undefined) return others;
      return { ...others, ...(await this.#session.run({ given }, ['logits'])) };
    } catch (error) {
      this.#gpu.dispose(Object.values(others));
      throw error;
    } finally {
      this.#gpu.dispose([given]);
    }
  }

  release(): Promise<void> {
    return this.#session.release();
  }
}
