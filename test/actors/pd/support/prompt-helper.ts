/** Somebody who runs parts of prompts for an engine under test, one at a time and when told. */
import { Tensor } from '../../../../actors/inference/onnxruntime.ts';
import type { KvPort } from '../../../../actors/pd/kv-cache/kv-signature.ts';
import { SlotPromptKv } from '../../../../actors/pd/kv-cache/slot-prompt-kv.ts';
import type { Decoder } from '../../../../actors/pd/runner/decoder.ts';
import { Predictions } from '../../../../actors/pd/runner/predictions.ts';
import type { PromptHelp } from '../../../../actors/pd/runner/remote-prefill.ts';
import type { PromptPart } from '../../../../actors/protocols.ts';

/** Runs each part when the test says so, on a decoder of its own. */
export class PromptHelper {
  ready = true;
  /** Whether what is predicted is no number. */
  unsound = false;
  /** Lengths of the parts that it was given, those that failed included. */
  readonly parts: number[] = [];
  #waiting: (() => Promise<void>)[] = [];
  #free = false;

  /** For `groupQueryEngine`. */
  readonly help = (decoder: Decoder, ports: readonly KvPort[]): Omit<PromptHelp, 'localDecoder'> => {
    const helper = this;
    const fetches = ports.map(({ present }) => present);
    return {
      takesImages: true,
      get ready() {
        return helper.ready;
      },
      extend: (part) => {
        this.parts.push(part.ids.length);
        const run = async () => {
          const predictions = await extend(decoder, ports, fetches, part);
          return this.unsound ? NO_NUMBERS : predictions;
        };
        return this.#free ? run() : this.#whenTold(run);
      },
    };
  };

  get busy(): boolean {
    return this.#waiting.length > 0;
  }

  /** Lets the part that waits be run; resolves when the engine has heard of it. */
  async finish(): Promise<void> {
    await this.#waiting.shift()?.();
    await turn();
  }

  async fail(): Promise<void> {
    this.#fails = true;
    await this.finish();
  }

  /** From here on parts are run as they come. */
  async finishAll(): Promise<void> {
    this.#free = true;
    while (this.busy) await this.finish();
  }

  #fails = false;

  #whenTold<T>(run: () => Promise<T>): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    this.#waiting.push(async () => {
      if (this.#fails) reject(new Error('the other actor died'));
      else resolve(await run());
      this.#fails = false;
    });
    return promise;
  }
}

const NO_NUMBERS = new Predictions({
  logits: new Tensor('float32', new Float32Array(64).fill(Number.NaN), [1, 1, 64]),
});

async function extend(
  decoder: Decoder,
  ports: readonly KvPort[],
  fetches: readonly string[],
  { ids, embeds, logits, past }: PromptPart,
) {
  return await decoder.extend({ ids, embeds, logits }, [], SlotPromptKv.over(ports, past), { fetches });
}

export const turn = () => new Promise((resolve) => setImmediate(resolve));
