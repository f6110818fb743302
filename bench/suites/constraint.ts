/**
 * What it costs to hold answers to a JSON schema: the same prompts, as many tokens, with a schema, without, and half of them
 * each. The schema's answers never come to an end, so that all sides make the same number of tokens.
 */
import type { Troupe } from '../../src/index.ts';
import { BenchModel } from '../bench-model.ts';
import { THREADS } from '../embedded-model.ts';
import { longCalls, measure, ratioOf, type Task } from '../measure.ts';
import { toChatOptions } from '../peers/peer-request.ts';
import type { Suite } from '../suite.ts';

const BATCH = 16;
const PROMPT = 100;
const OUTPUT = 64;
const QUICK_OUTPUT = 16;
const FREE = 'without a schema';
const MIXED = 'with a schema, every second one';
const BOUND = 'with a schema';

/** What an invoice's lines may look like; more of them than any answer here has room for. */
const SCHEMA = {
  type: 'array',
  minItems: 1000,
  items: {
    type: 'object',
    additionalProperties: false,
    required: ['article', 'amount', 'unit', 'price', 'delivered', 'note'],
    properties: {
      article: { type: 'string', maxLength: 12 },
      amount: { type: 'integer', minimum: 1, maximum: 999 },
      unit: { enum: ['piece', 'metre', 'hour', 'kilogram'] },
      price: { type: 'number', minimum: 0, maximum: 10_000 },
      delivered: { type: 'string', format: 'date' },
      note: { type: ['string', 'null'], maxLength: 20 },
    },
  },
} as const;

export const constraintSuite: Suite = {
  name: 'constraint',
  description: '16 answers at once that keep to a JSON schema, against as many that are free',
  shows: '>= 0.95x the tokens a second',
  async run(options) {
    const model = await BenchModel.open(options, options.dtype ?? 'q4');
    const output = options.quick ? QUICK_OUTPUT : OUTPUT;
    await using engine = await model.startTroupe({ pd: { threads: THREADS } });
    const task = (name: string, isBound: (index: number) => boolean): Task => ({
      name,
      operations: BATCH * output,
      run: () => decode(engine, model, output, isBound),
    });
    const tasks = [
      task(FREE, () => false),
      task(MIXED, (index) => index % 2 === 0),
      task(BOUND, () => true),
    ] as const;
    for (const { run } of tasks) await run();
    const title = `${BATCH} prompts of ${PROMPT} tokens and ${output} more each, ${model.label}`;
    const result = await measure(title, 'output token', [...tasks], options, longCalls(options, 7));
    const claim = (name: string) => ({
      text: `Output tokens a second ${name}, against none`,
      measured: ratioOf(result, name),
      unit: '×',
      goal: { atLeast: 0.95 },
    });
    return { tables: [result], claims: [claim(MIXED), claim(BOUND)] };
  },
};

/** @throws Error when an answer is shorter: then the sides do not do the same */
async function decode(
  engine: Troupe,
  { prompts }: BenchModel,
  output: number,
  isBound: (index: number) => boolean,
): Promise<number> {
  const requests = prompts.requests(BATCH, PROMPT, output).map(toChatOptions);
  const startedAt = performance.now();
  const answers = await Promise.all(
    requests.map((request, index) =>
      engine.chat(
        isBound(index) ? { ...request, constraint: { type: 'json_schema', schema: SCHEMA } } : request,
      ),
    ),
  );
  const took = performance.now() - startedAt;
  const short = answers.find(({ usage }) => usage.completionTokens !== output);
  if (short !== undefined) throw new Error(`an answer ended: ${short.text}`);
  return took;
}
