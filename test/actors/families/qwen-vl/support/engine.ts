/** The fixtures of the family at work on their golden cases, without actors. */
import { readFile } from 'node:fs/promises';
import { VisionEncoder } from '../../../../../actors/encoder/vision-encoder.ts';
import { decodeImage } from '../../../../../actors/images/image-decode.ts';
import { atOnce } from '../../../../../actors/images/in-turns.ts';
import { loadGraph } from '../../../../../actors/inference/load-graph.ts';
import type { OrtSession } from '../../../../../actors/inference/ort-session.ts';
import { sentTensors } from '../../../../../actors/inference/sent-tensors.ts';
import type { ModelDirectory } from '../../../../../actors/model/model-directory.ts';
import { REWRITERS } from '../../../../../actors/model/rewrite/rewriters.ts';
import { openModelDirectory } from '../../../../../actors/open-model-directory.ts';
import type { EngineRequest } from '../../../../../actors/pd/engine-request.ts';
import { kvPorts } from '../../../../../actors/pd/kv-cache/kv-signature.ts';
import { SlotPromptKv } from '../../../../../actors/pd/kv-cache/slot-prompt-kv.ts';
import { Decoder } from '../../../../../actors/pd/runner/decoder.ts';
import { preparePrompt } from '../../../../../actors/processor/prepare-prompt.ts';
import { loadPromptModel } from '../../../../../actors/processor/prompt-model.ts';
import type { PrefillHelp, PromptPart } from '../../../../../actors/protocols.ts';
import { CountedImage, envelope } from '../../../pd/support/requests.ts';
import { fixture } from './golden.ts';

/** Tokens of the golden answers. */
export const TOKENS = 32;

export interface GoldenCase {
  readonly case: string;
  readonly images: readonly string[];
  readonly question: string;
  readonly input_ids: readonly number[];
  /** The reference's answer, the end of sequence held back. */
  readonly greedy: readonly number[];
  /** Below 0.002 an answer may be another in another order of additions. */
  readonly smallest_gap: number;
}

/** Cases of a family whose answers stand firm. */
export async function firmCases(family: string): Promise<GoldenCase[]> {
  const cases: GoldenCase[] = JSON.parse(await readFile(fixture(family, 'golden.json'), 'utf8'));
  return cases.filter(({ smallest_gap }) => smallest_gap >= 0.002);
}

/** A fixture whose answers have no end, as the golden ones. */
export async function endlessModel(family: string): Promise<ModelDirectory> {
  const rewrite = REWRITERS;
  const directory = await openModelDirectory(fixture(family), { rewrite });
  return { ...directory, geometry: { ...directory.geometry, eosTokenIds: [] } };
}

/** Requests of the cases, with their images encoded one by one; each call makes new ones. */
export async function requestMaker(
  directory: ModelDirectory,
  cases: readonly GoldenCase[],
): Promise<() => EngineRequest[]> {
  const model = await loadPromptModel(directory);
  const vision = await VisionEncoder.load(directory, { threads: 1 });
  const pictures = new Map<string, Awaited<ReturnType<typeof encode>>>();
  const encode = async (picture: string) => {
    const image = await decodeImage(new Uint8Array(await readFile(fixture(picture))), 'image');
    const plan = model.images.plan(image);
    const pixels = new Float32Array(plan.shape.reduce((product, side) => product * side, 1));
    atOnce(plan.write(image, pixels));
    const shape = vision.outputShape(plan.tokens);
    const data = new Float32Array(shape.reduce((product, side) => product * side, 1));
    const each = data.length / vision.layers;
    const targets = Array.from({ length: vision.layers }, (_, i) => data.subarray(i * each, (i + 1) * each));
    await vision.encode({ pixels, ...plan }, targets);
    return { plan, shape, data };
  };
  for (const picture of new Set(cases.flatMap((one) => one.images)))
    pictures.set(picture, await encode(picture));
  await vision.release();
  const of = (picture: string) => {
    const found = pictures.get(picture);
    if (found === undefined) throw new Error(`${picture} is not encoded`);
    return found;
  };
  return () =>
    cases.map((one) => {
      const seen = one.images.map(of);
      const content = [
        ...one.images.map((image) => ({ type: 'image' as const, image })),
        { type: 'text' as const, text: one.question },
      ];
      const plans = seen.map(({ plan }) => plan);
      const { promptIds, positions } = preparePrompt(model, [{ role: 'user', content }], plans);
      return {
        envelope: { ...envelope([...promptIds], { maxTokens: TOKENS }), promptIds, positions },
        images: seen.map(({ data, shape }) => new CountedImage(data, shape)),
      };
    });
}

/** Another decoder of the same thread in the place of the prefill actor, which does what that actor does. */
export class PrefillBeside {
  readonly help: PrefillHelp;
  /** Lengths of the parts that it ran. */
  readonly parts: number[] = [];
  /** How many of the next parts fail. */
  failures = 0;
  readonly #session: OrtSession;

  private constructor(session: OrtSession, { geometry }: ModelDirectory) {
    this.#session = session;
    const ports = kvPorts(session, geometry);
    const decoder = new Decoder(session);
    const cache = { fetches: ports.map(({ present }) => present) };
    const ask = async (_: 'extend', { past, ...tokens }: PromptPart) => {
      if (this.failures > 0) {
        this.failures -= 1;
        throw new Error('the other actor died');
      }
      this.parts.push(tokens.ids.length);
      return sentTensors((await decoder.extend(tokens, [], SlotPromptKv.over(ports, past), cache)).outputs);
    };
    // What the engine uses of a reference to an actor.
    const actor = { members: ['prefill/0'], ask } as unknown as PrefillHelp['actor'];
    this.help = { actor, threadsBeside: 1, takesImages: true };
  }

  static async load(directory: ModelDirectory): Promise<PrefillBeside> {
    return new PrefillBeside(await loadGraph(directory.graphs.decoder, { threads: 1 }), directory);
  }

  release(): Promise<void> {
    return this.#session.release();
  }
}
