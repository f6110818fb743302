/**
 * What it costs to hold answers to a form: the same prompts, as many tokens, with a JSON schema, without, and half of them each;
 * and with a pattern that leaves a choice at every token, so that none is run ahead of the model. No form comes to an end,
 * so that all sides make the same number of tokens.
 */
import type { Constraint } from '../../actors/constraint/constraint.ts';
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
const FREE = 'free';
const MIXED = 'every second one with a schema';
const BOUND = 'with a schema';
const OPEN = 'with a pattern';

type ConstraintOf = (index: number) => Constraint | undefined;

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

export const constrainedAnswersSuite: Suite = {
  name: 'constrained-answers',
  description: '16 answers at once that keep to a JSON schema or a pattern, against as many that are free',
  shows: '>= 0.95x the tokens a second',
  async run(options) {
    const model = await BenchModel.open(options, options.dtype ?? 'q4');
    const output = options.quick ? QUICK_OUTPUT : OUTPUT;
    await using engine = await model.startTroupe({ pd: { threads: THREADS } });
    const task = (name: string, constraintOf: ConstraintOf): Task => ({
      name,
      operations: BATCH * output,
      run: () => decode(engine, model, output, constraintOf),
    });
    const schema: Constraint = { type: 'json_schema', schema: SCHEMA };
    const pattern: Constraint = { type: 'regex', pattern: '[a-z ]{1000}' };
    const tasks = [
      task(FREE, () => undefined),
      task(MIXED, (index) => (index % 2 === 0 ? schema : undefined)),
      task(BOUND, () => schema),
      task(OPEN, () => pattern),
    ] as const;
    for (const { run } of tasks) await run();
    const title = `${BATCH} prompts of ${PROMPT} tokens and ${output} more each, ${model.label}`;
    const result = await measure(title, 'output token', [...tasks], options, longCalls(options, 7));
    const claim = (name: string) => ({
      text: `Output tokens a second of 16 answers, ${name}, against free ones`,
      measured: ratioOf(result, name),
      unit: '×',
      goal: { atLeast: 0.95 },
    });
    return { tables: [result], claims: [MIXED, BOUND, OPEN].map(claim) };
  },
};

/** @throws Error when an answer is shorter: then the sides do not do the same */
async function decode(
  engine: Troupe,
  { prompts }: BenchModel,
  output: number,
  constraintOf: ConstraintOf,
): Promise<number> {
  const requests = prompts.requests(BATCH, PROMPT, output).map(toChatOptions);
  const startedAt = performance.now();
  const answers = await Promise.all(
    requests.map((request, index) => {
      const constraint = constraintOf(index);
      return engine.chat(constraint === undefined ? request : { ...request, constraint });
    }),
  );
  const took = performance.now() - startedAt;
  const short = answers.find(({ usage }) => usage.completionTokens !== output);
  if (short !== undefined) throw new Error(`an answer ended: ${short.text}`);
  return took;
}
