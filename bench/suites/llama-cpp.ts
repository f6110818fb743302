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
import { LLAMA_SERVER } from '../peers/llama-server.ts';
import type { PeerRequest } from '../peers/peer-request.ts';
import type { Claim, Suite, SuiteOptions, Table } from '../suite.ts';

interface Load {
  readonly title: string;
  readonly requests: number;
  readonly promptTokens: number;
  readonly outputTokens: number;
  /** All sides have run the prompts before: what is measured are the answers. */
  readonly known?: boolean;
}

const LOADS: readonly Load[] = [
  { title: '16 requests of 600 tokens', requests: 16, promptTokens: 600, outputTokens: 128 },
  { title: '8 requests of 100 tokens', requests: 8, promptTokens: 100, outputTokens: 64 },
  { title: 'one request of 1,000 tokens', requests: 1, promptTokens: 1000, outputTokens: 128 },
  { title: '8 streams behind 2,000 tokens', requests: 8, promptTokens: 2000, outputTokens: 128, known: true },
];
const QUICK_LOADS: readonly Load[] = [
  { title: '4 requests of 60 tokens', requests: 4, promptTokens: 60, outputTokens: 8 },
  { title: 'one request of 60 tokens', requests: 1, promptTokens: 60, outputTokens: 8 },
  { title: '2 streams behind 200 tokens', requests: 2, promptTokens: 200, outputTokens: 8, known: true },
];

/** Tokens of the requests before the first turn. */
const WARM = { prompt: 40, output: 4 } as const;

const OURS = 'Troupe';
/** With `pd.promptProducts`, where the weights have 4 bits. */
const OURS_IN_BYTES = 'Troupe, prompts in 8 bits';
/** For the prompts of the longest load, 46 KB a token. */
const PREFIX_CACHE_BYTES = 1024 ** 3;

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
      const pd = { prefixCacheBytes: PREFIX_CACHE_BYTES };
      await using engines = new AsyncDisposableStack();
      const engine = engines.use(await model.startTroupe({ pd }));
      const ours = new Map([[OURS, engine]]);
      if (dtype === 'q4') {
        const inBytes = await model.startTroupe({ pd: { ...pd, promptProducts: '8-bit' } });
        ours.set(OURS_IN_BYTES, engines.use(inBytes));
      }
      for (const load of options.quick ? QUICK_LOADS : LOADS) {
        tables.push(...(await compare(model, load, ours, options)));
      }
    }
    if (tables.length === 0) return { skipped: 'there is no llama.cpp here' };
    return { tables, claims: tables.flatMap(claimsOf) };
  },
};

async function compare(
  { directory, prompts, label }: BenchModel,
  load: Load,
  engines: ReadonlyMap<string, Troupe>,
  options: SuiteOptions,
): Promise<Table[]> {
  const { requests: slots, promptTokens, outputTokens, known = false } = load;
  await using peers = await LlamaPeers.start(directory, {
    slots,
    // The last token of an answer is not run any more, but contexts are checked beforehand.
    tokens: promptTokens + outputTokens + 1,
  });
  // The binding has nothing left of a prompt.
  const asked = known ? peers.all.filter(({ name }) => name === LLAMA_SERVER) : peers.all;
  if (asked.length === 0) return [];
  const sides: Side[] = asked.map((peer) => ({
    name: peer.name,
    answer: (requests) => askLlama(peer, requests, prompts, known),
  }));
  for (const [name, engine] of engines) {
    sides.push({ name, answer: (requests) => askTroupe(engine, requests) });
  }
  const same = known ? prompts.requests(slots, promptTokens, outputTokens) : undefined;
  const turns = new Map(sides.map(({ name }) => [name, [] as Turn[]]));
  const task = ({ name, answer }: Side): Task => ({
    name,
    operations: slots * outputTokens,
    run: async () => {
      const requests = same ?? prompts.requests(slots, promptTokens, outputTokens);
      const turn = turnOf(name, await answer(requests), requests);
      turns.get(name)?.push(turn);
      return turn.ms;
    },
  });
  for (const { answer } of sides) {
    await answer(same ?? prompts.requests(slots, WARM.prompt, WARM.output));
  }
  const [first, ...others] = sides.map(task);
  if (first === undefined) return [];
  const title = `${load.title}, ${outputTokens} more each, ${label}`;
  const whole = await measure(title, 'output token', [first, ...others], options, longCalls(options));
  const read = (of: (turn: Turn) => number) =>
    [...turns].map(([name, list]) => ({ name, roundsMs: list.map(of) }));
  const firstTokens = read(({ firstTokenMs }) => firstTokenMs);
  const tables = [whole, table(`Time to first token, ${title}`, 'first token', firstTokens)];
  // Of several, the first may end before the last begins, unless none has a prompt to wait for.
  if (slots > 1 && !known) return tables;
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
  const isOurs = (name: string) => name === OURS || name === OURS_IN_BYTES;
  const names = result.rows.map(({ name }) => name);
  return names.filter(isOurs).flatMap((ours) =>
    names
      .filter((name) => !isOurs(name))
      .map((theirs) => ({
        text: `${ours === OURS ? '' : `${ours}: `}${result.title}, against ${theirs}`,
        measured: ratioBetween(result, ours, theirs),
        unit: '×',
        goal: { atLeast: 1 },
      })),
  );
}
