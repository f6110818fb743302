/**
 * Greedy tokens of llama.cpp on what the converter writes, against Troupe on the files it was written from: the embedded model
 * and generated ones. In fp32 both do the same, and the run fails when a token differs; with fewer bits both round activations as
 * well, each in its own way, so that answers part sooner or later, and how much of them is the same is told.
 */
import type { ModelDirectory } from '../../actors/model/model-directory.ts';
import { Troupe } from '../../src/index.ts';
import { openModel } from '../../src/inspect/load-model.ts';
import { BenchModel } from '../bench-model.ts';
import { EMBEDDED_MODEL } from '../embedded-model.ts';
import type { Precision } from '../generated-model/precision.ts';
import { goldenQuestions } from '../golden-requests.ts';
import { LlamaPeers } from '../llama/llama-peers.ts';
import { askLlama, askTroupe } from '../llama/llama-run.ts';
import { type PeerRequest, userRequest } from '../peers/peer-request.ts';
import { PromptMaker } from '../prompt-maker.ts';
import type { Claim, FigureTable, Suite, SuiteOptions } from '../suite.ts';

const MAX_TOKENS = 24;
const PROMPT_TOKENS = 60;
const REQUESTS = 16;
const QUICK_REQUESTS = 3;
const LONGEST_PROMPT = 200;

interface Compared {
  readonly title: string;
  readonly directory: ModelDirectory;
  readonly prompts: PromptMaker;
  readonly dtype: Precision;
  readonly requests: readonly PeerRequest[];
}

export const llamaParitySuite: Suite = {
  name: 'llama-parity',
  description: 'greedy tokens of llama.cpp on the converted models, against Troupe',
  shows: 'identical in fp32; the run fails (exit code 1) when a token differs',
  async run(options) {
    const claims: Claim[] = [];
    const rows: { name: string; value: number; unit: string }[] = [];
    for await (const compared of comparedModels(options)) {
      for (const { name, shares } of await equalShares(compared)) {
        const text = `${compared.title}, ${name}`;
        if (compared.dtype === 'fp32') {
          const measured = shares.filter((share) => share < 1).length;
          const said = `Answers of ${shares.length} with another token, ${text}`;
          claims.push({ text: said, measured, unit: '', goal: { atMost: 0 }, required: true });
        } else {
          const value = (100 * shares.reduce((sum, share) => sum + share, 0)) / shares.length;
          rows.push({ name: text, value, unit: ' %' });
        }
      }
    }
    if (claims.length === 0 && rows.length === 0) return { skipped: 'there is no llama.cpp here' };
    const title = 'Of an answer, what comes before the first token that differs';
    const figures: FigureTable[] = rows.length === 0 ? [] : [{ title, rows }];
    return { claims, figures };
  },
};

async function* comparedModels(options: SuiteOptions): AsyncGenerator<Compared> {
  const count = options.quick ? QUICK_REQUESTS : REQUESTS;
  const wanted = options.dtype;
  if (options.shape === undefined && wanted !== 'q8') {
    const dtype = wanted ?? 'fp32';
    const directory = await openModel({ model: EMBEDDED_MODEL, dtype, promptTemplate: undefined });
    const requests = goldenQuestions
      .slice(0, count)
      .map((text) => userRequest([{ type: 'text', text }], MAX_TOKENS));
    yield {
      title: `embedded model, ${dtype}`,
      directory,
      prompts: await PromptMaker.for(directory),
      dtype,
      requests,
    };
  }
  for (const dtype of wanted === undefined ? (['fp32', 'q4', 'q8'] as const) : [wanted]) {
    const { directory, prompts, label } = await BenchModel.open(options, dtype);
    const requests = prompts.requests(count, PROMPT_TOKENS, MAX_TOKENS);
    yield { title: label, directory, prompts, dtype, requests };
  }
}

/** Of each answer, the share before the first token that differs. llama.cpp goes on behind the token that ends ours. */
async function equalShares({ directory, dtype, prompts, requests }: Compared) {
  const size = { slots: requests.length, tokens: LONGEST_PROMPT + MAX_TOKENS };
  await using peers = await LlamaPeers.start(directory, size);
  if (peers.all.length === 0) return [];
  await using engine = await Troupe.start({ model: directory.path, dtype });
  const ours = await askTroupe(engine, requests);
  const results: { name: string; shares: number[] }[] = [];
  for (const peer of peers.all) {
    const theirs = await askLlama(peer, requests, prompts);
    const shares = ours.tokenIds.map((tokens, index) => equalShare(tokens, theirs.tokenIds[index] ?? []));
    results.push({ name: peer.name, shares });
  }
  return results;
}

function equalShare(expected: readonly number[], actual: readonly number[]): number {
  const differing = expected.findIndex((token, index) => token !== actual[index]);
  return differing < 0 ? 1 : differing / expected.length;
}
