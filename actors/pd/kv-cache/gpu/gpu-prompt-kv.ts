/** The keys and values of a prompt while it is run in parts: what the last part left on the GPU is the next one's past. */

import type { GpuMemory } from '../../../inference/gpu/gpu-memory.ts';
import type { Tensors } from '../../../inference/graph-session.ts';
import type { Tensor } from '../../../inference/onnxruntime.ts';
import type { PromptKv } from '../kv-cache.ts';
import type { KvPort } from '../kv-signature.ts';

export class GpuPromptKv implements PromptKv {
  readonly #ports: readonly KvPort[];
  readonly #gpu: GpuMemory;
  readonly #makeRoom: (() => Promise<Tensors>) | undefined;
  #past: Tensors;
  #hasRoom = false;
  #length = 0;

  /**
   * @param empty a past without tokens
   * @param makeRoom for decoders that write into the past: one with places for the whole prompt, for the first run
   */
  constructor(ports: readonly KvPort[], gpu: GpuMemory, empty: Tensors, makeRoom?: () => Promise<Tensors>) {
    this.#ports = ports;
    this.#gpu = gpu;
    this.#past = empty;
    this.#makeRoom = makeRoom;
  }

  get length(): number {
    return this.#length;
  }

  /** Unused places are not looked at. */
  get capacity(): number {
    return this.#length;
  }

  async past(): Promise<Tensors> {
    if (this.#makeRoom !== undefined && !this.#hasRoom) {
      this.#past = await this.#makeRoom();
      this.#hasRoom = true;
    }
    return { ...this.#past };
  }

  take(outputs: Tensors, _row: number, count: number): void {
    this.dispose();
    this.#past = pastOf(outputs, this.#ports);
    this.#length += count;
  }

  /** Of some ports, in their order. */
  tensors(ports: readonly KvPort[]): Tensor[] {
    return tensorsOf(this.#past, ports);
  }

  dispose(): void {
    this.#gpu.dispose(Object.values(this.#past));
  }
}

/** A run's `present` outputs under the names of the next run's inputs. */
export function pastOf(outputs: Tensors, ports: readonly KvPort[]): Tensors {
  return Object.fromEntries(ports.map(({ past, present }) => [past, tensorOf(outputs, present)]));
}

/** The past of some ports, in their order. */
export function tensorsOf(past: Tensors, ports: readonly KvPort[]): Tensor[] {
  return ports.map((port) => tensorOf(past, port.past));
}

function tensorOf(tensors: Tensors, name: string): Tensor {
  const tensor = tensors[name];
  if (tensor === undefined) throw new TypeError(`There are no keys and values ${name}`);
  return tensor;
}
