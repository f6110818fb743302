/**
 * Whole requests, time to first token and decode alone against llama.cpp on weights of equal bits, all sides in turn: the package
 * node-llama-cpp as it comes, and a server that was built for this machine, where `LLAMA_SERVER` says where it is.
 */
import type { Troupe } from '../../src/index.ts';
import { BenchModel } from '../bench-model.ts';
import { PRECISIONS, type Precision } from '../generated-model/precision.ts';
import { LlamaPeers } from '../llama/llama-peers.ts';
import { askLlama, askTroupe, type Turn, turnOf } from '../llama/llama-run.ts';
import { longCalls, measure, ratioBetween, type Task, table } from '../measure.ts';
import type { LlamaAnswer } from '../peers/llama-request.ts';
import type { PeerRequest } from '../peers/peer-request.ts';
import type { Claim, Suite, SuiteOptions, Table } from '../suite.ts';

interface Load {
  readonly title: string;
  readonly requests: number;
  readonly promptTokens: number;
  readonly outputTokens: number;
}

const LOADS: readonly Load[] = [
  { title: '16 requests of 600 tokens', requests: 16, promptTokens: 600, outputTokens: 128 },
  { title: '8 requests of 100 tokens', requests: 8, promptTokens: 100, outputTokens: 64 },
  { title: 'one request of 1,000 tokens', requests: 1, promptTokens: 1000, outputTokens: 128 },
];
const QUICK_LOADS: readonly Load[] = [
  { title: '4 requests of 60 tokens', requests: 4, promptTokens: 60, outputTokens: 8 },
  { title: 'one request of 60 tokens', requests: 1, promptTokens: 60, outputTokens: 8 },
];

/** Tokens of the requests before the first turn. */
const WARM = { prompt: 40, output: 4 } as const;

const OURS = 'Troupe';

/** One side's way to answer requests that arrive together. */
interface Side {
  readonly name: string;
  answer(requests: readonly PeerRequest[]): Promise<LlamaAnswer>;
}

export const llamaCppSuite: Suite = {
  name: 'llama-cpp',
  description: 'whole requests, first tokens and decode against llama.cpp on equal bits, fp32, q4 and q8',
  shows: '>= 1x of node-llama-cpp and of the server that LLAMA_SERVER names, on each load',
  async run(options) {
    const tables: Table[] = [];
    const precisions: readonly Precision[] = options.dtype === undefined ? PRECISIONS : [options.dtype];
    for (const dtype of precisions) {
      const model = await BenchModel.open(options, dtype);
      await using engine = await model.startTroupe();
      for (const load of options.quick ? QUICK_LOADS : LOADS) {
        tables.push(...(await compare(model, load, engine, options)));
      }
    }
    if (tables.length === 0) return { skipped: 'there is no llama.cpp here' };
    return { tables, claims: tables.flatMap(claimsOf) };
  },
};

async function compare(
  { directory, prompts, label }: BenchModel,
  load: Load,
  engine: Troupe,
  options: SuiteOptions,
): Promise<Table[]> {
  const { requests: slots, promptTokens, outputTokens } = load;
  await using peers = await LlamaPeers.start(directory, {
    slots,
    // The last token of an answer is not run any more, but contexts are checked beforehand.
    tokens: promptTokens + outputTokens + 1,
  });
  if (peers.all.length === 0) return [];
  const sides: Side[] = peers.all.map((peer) => ({
    name: peer.name,
    answer: (requests) => askLlama(peer, requests, prompts),
  }));
  sides.push({ name: OURS, answer: (requests) => askTroupe(engine, requests) });
  const turns = new Map(sides.map(({ name }) => [name, [] as Turn[]]));
  const task = ({ name, answer }: Side): Task => ({
    name,
    operations: slots * outputTokens,
    run: async () => {
      const requests = prompts.requests(slots, promptTokens, outputTokens);
      const turn = turnOf(name, await answer(requests), requests);
      turns.get(name)?.push(turn);
      return turn.ms;
    },
  });
  for (const { answer } of sides) await answer(prompts.requests(slots, WARM.prompt, WARM.output));
  const [first, ...others] = sides.map(task);
  if (first === undefined) return [];
  const title = `${load.title}, ${outputTokens} more each, ${label}`;
  const whole = await measure(title, 'output token', [first, ...others], options, longCalls(options));
  const read = (of: (turn: Turn) => number) =>
    [...turns].map(([name, list]) => ({ name, roundsMs: list.map(of) }));
  const firstTokens = read(({ firstTokenMs }) => firstTokenMs);
  const tables = [whole, table(`Time to first token, ${title}`, 'first token', firstTokens)];
  // Of several, the first may end before the last begins.
  if (slots > 1) return tables;
  return [
    ...tables,
    table(
      `Decode alone, ${title}`,
      'token',
      read(({ tokenMs }) => tokenMs),
    ),
  ];
}

/** Against each llama.cpp that was there. */
function claimsOf(result: Table): Claim[] {
  return result.rows
    .filter(({ name }) => name !== OURS)
    .map(({ name }) => ({
      text: `${result.title}, against ${name}`,
      measured: ratioBetween(result, OURS, name),
      unit: '×',
      goal: { atLeast: 1 },
    }));
}
