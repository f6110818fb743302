/** What the arrangements are asked: questions about pictures, 1, 4 and 16 under way at a time. */
import { join } from 'node:path';
import type { TroupeOptions } from '../../src/index.ts';
import { BenchModel } from '../bench-model.ts';
import { EMBEDDED_MODEL } from '../embedded-model.ts';
import type { Precision } from '../generated-model/precision.ts';
import { onePictureRequests, RequestCycle } from '../golden-requests.ts';
import { type PeerRequest, userRequest } from '../peers/peer-request.ts';
import { makePicture } from '../picture.ts';
import type { SuiteOptions } from '../suite.ts';
import { tileSideOf } from '../tile-side.ts';

export interface ModelLoads {
  readonly label: string;
  readonly engine: Pick<TroupeOptions, 'model' | 'dtype'>;
  readonly batches: readonly number[];
  /** Turns of each side, without the one that warms up, where the command line does not say. */
  readonly rounds: number;
  /** Another set each time: nothing in it was asked before. */
  requests(batch: number): Promise<PeerRequest[]>;
}

const BATCHES = [1, 4, 16];
const QUICK_BATCHES = [1];

/** Answers of the embedded model are short and long, so one call is this many of them, however many are together. */
const EMBEDDED_REQUESTS = 16;

/** Its goldens about one picture: every picture of a call is another, and its caches are empty. */
export function embeddedLoads({ quick }: SuiteOptions, dtype: Precision): ModelLoads {
  const cycle = new RequestCycle(onePictureRequests);
  return {
    label: `embedded model, ${dtype}`,
    engine: { model: EMBEDDED_MODEL, dtype },
    batches: quick ? QUICK_BATCHES : BATCHES,
    rounds: quick ? 1 : 5,
    requests: async (batch) => cycle.take(quick ? batch : EMBEDDED_REQUESTS),
  };
}

const TEXT_TOKENS = 120;
const ANSWER_TOKENS = 64;

/** A picture and a text of its own in every request. @param folder for the pictures */
export async function generatedLoads(
  options: SuiteOptions,
  dtype: Precision,
  folder: string,
): Promise<ModelLoads> {
  const model = await BenchModel.open(options, dtype);
  const tileSize = tileSideOf(model.directory);
  let pictures = 0;
  const request = async (): Promise<PeerRequest> => {
    const seed = pictures++;
    const image = join(folder, `${seed}.png`);
    await makePicture(image, tileSize, seed);
    const [message] = model.prompts.request(TEXT_TOKENS, ANSWER_TOKENS).messages;
    return userRequest([{ type: 'image', image }, ...(message?.content ?? [])], ANSWER_TOKENS);
  };
  return {
    label: model.label,
    engine: { model: model.directory.path, dtype },
    batches: BATCHES,
    rounds: 3,
    requests: (batch) => Promise.all(Array.from({ length: batch }, request)),
  };
}
