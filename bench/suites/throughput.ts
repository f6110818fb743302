/**
 * Output tokens a second of whole requests, prompts included, against transformers.js on the same files. The peer
 * answers one request after the other, which is how it is fastest when callers do not know of each other, and, as a
 * second row, all of them as one static batch, which takes callers that arrive together and ask for the same length. Further rows
 * are llama.cpp's, on weights of equal bits, where there is one (`llama-cpp.ts` says more of it).
 */
import type { Troupe, Usage } from '../../src/index.ts';
import { BenchModel } from '../bench-model.ts';
import { PRECISIONS, type Precision } from '../generated-model/precision.ts';
import { LlamaPeers } from '../llama/llama-peers.ts';
import { askLlama, turnOf } from '../llama/llama-run.ts';
import { longCalls, measure, ratioOf, type Task } from '../measure.ts';
import type { LlamaPeer } from '../peers/llama-request.ts';
import { type Order, toChatOptions } from '../peers/peer-request.ts';
import type { TransformersPeer } from '../peers/transformers.ts';
import type { Claim, Suite, SuiteOptions, Table } from '../suite.ts';

interface Load {
  readonly title: string;
  readonly requests: number;
  readonly promptTokens: number;
  readonly outputTokens: number;
  readonly goal: number;
}

const LOADS: readonly Load[] = [
  { title: '16 requests of 600 tokens at once', requests: 16, promptTokens: 600, outputTokens: 128, goal: 6 },
  {
    title: 'one request with 1,000 tokens of context',
    requests: 1,
    promptTokens: 1000,
    outputTokens: 128,
    goal: 1.5,
  },
];
/** The same with answers of another length: the longer they are, the less the prompts weigh, which cost both sides the same. */
const longAnswers = (outputTokens: number): Load => ({
  title: `16 requests of 600 tokens at once, answers of ${outputTokens}`,
  requests: 16,
  promptTokens: 600,
  outputTokens,
  goal: 6,
});
const QUICK_LOADS: readonly Load[] = [
  { title: '4 requests of 60 tokens at once', requests: 4, promptTokens: 60, outputTokens: 8, goal: 1 },
];

const PEER = 'transformers.js';
const OURS = 'Troupe';

export const throughputSuite: Suite = {
  name: 'throughput',
  description:
    'output tokens a second against transformers.js on the same files and llama.cpp, fp32, q4 and q8',
  shows: '>= 6x at 16 requests with 600-token prompts, >= 1.5x at one with a 1,000-token context',
  async run(options) {
    const tables: Table[] = [];
    const claims: Claim[] = [];
    const precisions: readonly Precision[] = options.dtype === undefined ? PRECISIONS : [options.dtype];
    for (const dtype of precisions) {
      const model = await BenchModel.open(options, dtype);
      const peer = await model.startTransformers();
      await using engine = await model.startTroupe();
      try {
        for (const load of loadsFor(options)) {
          const result = await compare(model, load, engine, peer, options);
          tables.push(result);
          const text = `Output tokens a second, ${load.title}, ${dtype}`;
          const goal = { atLeast: load.goal };
          claims.push({ text, measured: ratioOf(result, OURS), unit: '×', goal });
        }
      } finally {
        await peer.stop();
      }
    }
    const bars = tables.flatMap(({ title: group, rows }) =>
      rows.map(({ name, perSecond: value }) => ({ group, name, value })),
    );
    const title = 'Output tokens a second';
    return { tables, claims, charts: [{ kind: 'bars', name: 'throughput', title, y: title, bars }] };
  },
};

function loadsFor({ quick, answerTokens }: SuiteOptions): readonly Load[] {
  if (answerTokens !== undefined) return [longAnswers(answerTokens)];
  return quick ? QUICK_LOADS : LOADS;
}

async function compare(
  { directory, prompts, label }: BenchModel,
  load: Load,
  engine: Troupe,
  peer: TransformersPeer,
  options: SuiteOptions,
): Promise<Table> {
  const { requests, promptTokens, outputTokens } = load;
  const operations = requests * outputTokens;
  const make = () => prompts.requests(requests, promptTokens, outputTokens);
  const peerTask = (name: string, order: Order): Task => ({
    name,
    operations,
    run: async () => {
      const { ms, tokens, promptTokens: prompts } = await peer.answer({ requests: make(), order });
      checkTokens(name, load, tokens, prompts);
      return ms;
    },
  });
  const ours: Task = {
    name: OURS,
    operations,
    run: async () => {
      const asked = make();
      const startedAt = performance.now();
      const results = await Promise.all(asked.map((request) => engine.chat(toChatOptions(request))));
      const ms = performance.now() - startedAt;
      const sum = (read: (usage: Usage) => number) =>
        results.reduce((total, { usage }) => total + read(usage), 0);
      checkTokens(
        OURS,
        load,
        sum((usage) => usage.completionTokens),
        sum((usage) => usage.promptTokens),
      );
      return ms;
    },
  };
  const size = { slots: requests, tokens: promptTokens + outputTokens + 1 };
  await using llamas = await LlamaPeers.start(directory, size);
  const llamaTask = (llama: LlamaPeer): Task => ({
    name: llama.name,
    operations,
    run: async () => {
      const asked = make();
      return turnOf(llama.name, await askLlama(llama, asked, prompts), asked).ms;
    },
  });
  // It is never faster for long answers: the whole cache of all rows is handed over at each token.
  const batch =
    requests > 1 && options.answerTokens === undefined
      ? [peerTask(`${PEER}, one static batch`, 'batch')]
      : [];
  await peer.answer({ requests: prompts.requests(1, 40, 4), order: 'in-turn' });
  await engine.chat(toChatOptions(prompts.request(40, 4)));
  for (const llama of llamas.all) await askLlama(llama, prompts.requests(1, 40, 4), prompts);
  const tasks = [peerTask(PEER, 'in-turn'), ours, ...batch, ...llamas.all.map(llamaTask)] as const;
  return await measure(`${load.title}, ${label}`, 'output token', [...tasks], options, longCalls(options));
}

/** What is compared must do the same work. */
function checkTokens(side: string, load: Load, output: number, prompts: number): void {
  const expected = [load.requests * load.outputTokens, load.requests * load.promptTokens];
  if (output === expected[0] && prompts === expected[1]) return;
  throw new Error(
    `${side} read ${prompts} and made ${output} tokens, not ${expected.reverse().join(' and ')}`,
  );
}
