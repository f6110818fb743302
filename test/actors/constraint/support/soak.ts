/**
 * Random schemas, and for each: answers with random logits, which an independent validator has to find valid, and valid
 * values made from the schema alone, which have to be answerable.
 */
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { compileConstraint } from '../../../../actors/constraint/compile-constraint.ts';
import { ConstraintEngine } from '../../../../actors/constraint/constraint-engine.ts';
import type { CompiledGrammar } from '../../../../actors/constraint/grammar/compiled-grammar.ts';
import { InputError } from '../../../../actors/errors.ts';
import { EOS, generate, vocabulary } from './embedded-model.ts';
import { isAnswer, orders } from './grammar-text.ts';
import { randomInstance } from './random-instance.ts';
import { pick, type Random, randomFrom, randomSchema, type Schema } from './random-schema.ts';

/** What has come of a seed. */
export interface SoakResult {
  schemas: number;
  refused: number;
  /** Answers that ended, all of them valid. */
  answers: number;
  unfinished: number;
  /** Values that were valid and answerable. */
  values: number;
  /** Anything that may not be: the schema, and what is wrong. */
  faults: string[];
}

const ANSWERS = 3;
const TRIES = 12;
const MOST_TOKENS = 400;
const MOST_ORDERS = 800;

export function soak(seed: number, schemas: number): SoakResult {
  const random = randomFrom(seed);
  const result: SoakResult = { schemas: 0, refused: 0, answers: 0, unfinished: 0, values: 0, faults: [] };
  const engine = new ConstraintEngine(vocabulary);
  for (let i = 0; i < schemas; i++) one(randomSchema(random), random, engine, result);
  return result;
}

function one(schema: Schema, random: Random, engine: ConstraintEngine, result: SoakResult): void {
  result.schemas++;
  const ajv = new Ajv2020({ strict: false, validateSchema: false });
  addFormats.default(ajv);
  const validate = ajv.compile(schema);
  const values = Array.from({ length: TRIES }, () => randomInstance(schema, schema, random)).filter((value) =>
    validate(value),
  );
  const fault = (what: string): void => {
    result.faults.push(`${what}\n  ${JSON.stringify(schema)}`);
  };
  let grammar: CompiledGrammar;
  try {
    grammar = compileConstraint({ type: 'json_schema', schema });
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    result.refused++;
    // Refusing as impossible what has a valid value would be wrong.
    if (error.code === 'CONSTRAINT_INVALID' && values.length > 0)
      fault(`impossible, but: ${JSON.stringify(values[0])}`);
    return;
  }
  for (const value of values) {
    if (answerable(grammar, value)) result.values++;
    else fault(`valid, but cannot be answered: ${JSON.stringify(value)}`);
  }
  for (let i = 0; i < ANSWERS; i++) {
    const text = generate(engine.matcher(grammar), (allowed) => choose(random, allowed), MOST_TOKENS);
    if (text === undefined) result.unfinished++;
    else if (validate(JSON.parse(text))) result.answers++;
    else fault(`answered, but invalid: ${text}`);
  }
}

/** In the order of its keys, or another: properties of several schemas are merged in an order of their own. */
function answerable(grammar: CompiledGrammar, value: unknown): boolean {
  let tried = 0;
  for (const text of orders(value)) {
    if (isAnswer(grammar, text)) return true;
    if (++tried === MOST_ORDERS) return false;
  }
  return false;
}

/** Any token; tokens that close something come more often, so that answers end. */
function choose(random: Random, allowed: readonly number[]): number {
  if (random() < 0.25) {
    const closing = allowed.filter((token) => token === EOS || '"}]'.includes(textOf(token)));
    if (closing.length > 0) return pick(random, closing);
  }
  return pick(random, allowed);
}

function textOf(token: number): string {
  return String.fromCharCode(...(vocabulary.textOf(token) ?? [0]));
}
