/**
 * What it costs to hold an answer to a JSON schema: from the schema to the first mask, and a mask for each token behind it,
 * with a vocabulary of 49,280 tokens, against the engine of transformers.js, fed with the same tokens.
 * The peer compiles as it goes, and its figures have the mask written into the logits; ours end with the mask.
 */
import { compileConstraint } from '../../actors/constraint/compile-constraint.ts';
import { ConstraintEngine } from '../../actors/constraint/constraint-engine.ts';
import { ConstraintVocabulary } from '../../actors/constraint/matcher/constraint-vocabulary.ts';
import { parseTokenizerJson } from '../../actors/model/tokenizer-json.ts';
import { padTokenizer } from '../generated-model/tokenizer.ts';
import { measure, type Task } from '../measure.ts';
import type { Suite, SuiteOptions, Table } from '../suite.ts';

const VOCABULARY = 49_280;
const EOS = 2;
const PROPERTIES = 48;
const FIRST = 'Troupe';

export const constraintsSuite: Suite = {
  name: 'constraints',
  description:
    'a schema of 5 KB to its first mask, and a mask a token, against the engine of transformers.js',
  shows: 'at most 15 ms to the first mask',
  async run(options) {
    const path = new URL('../../models/default/tokenizer.json', import.meta.url).pathname;
    const json = parseTokenizerJson(JSON.stringify((await padTokenizer(path, VOCABULARY)).json), path);
    const vocabulary = new ConstraintVocabulary(json, [EOS], VOCABULARY);
    const first = await firstMask(vocabulary, options);
    const median = first.rows.find(({ name }) => name === FIRST)?.medianMs ?? Number.POSITIVE_INFINITY;
    const text = `Schema of 5 KB to its first mask over ${VOCABULARY} tokens`;
    return {
      tables: [first, await everyMask(vocabulary, options)],
      claims: [{ text, measured: median, unit: 'ms', goal: { atMost: 15 } }],
    };
  },
};

let fresh = 0;

/** A schema that no cache has seen. */
function schema() {
  const kinds = [
    { type: 'string' },
    { type: 'integer', minimum: 0 },
    { type: 'number' },
    { enum: ['alpha', 'beta', 'gamma delta'] },
    {
      type: 'array',
      items: {
        type: 'object',
        properties: { a: { type: 'string' }, b: { type: 'integer' } },
        required: ['a', 'b'],
      },
    },
    { anyOf: [{ type: 'null' }, { type: 'string', maxLength: 40 }] },
  ];
  const names = Array.from({ length: PROPERTIES }, (_, i) => `property_number_${i}`);
  return {
    description: `${fresh++}`,
    type: 'object',
    properties: Object.fromEntries(
      names.map((name, i) => [name, { ...kinds[i % kinds.length], description: 'one of many' }]),
    ),
    required: names,
    additionalProperties: false,
  };
}

/** Loaded when it is needed: a bundle for a bare machine has no peers. */
const loadPeer = () => import('@huggingface/transformers-structured-output');

async function firstMask(vocabulary: ConstraintVocabulary, options: SuiteOptions): Promise<Table> {
  const { StructuredOutputProcessor } = await loadPeer();
  const engine = new ConstraintEngine(vocabulary);
  const tokenizer = peerTokenizer(vocabulary);
  StructuredOutputProcessor.warmup(tokenizer);
  const logits = peerLogits();
  const ours: Task = {
    name: FIRST,
    operations: 1,
    run: () => engine.matcher(compileConstraint({ type: 'json_schema', schema: schema() })).mask(),
  };
  const peer: Task = {
    name: 'transformers.js',
    operations: 1,
    run: () =>
      new StructuredOutputProcessor(tokenizer, { type: 'json_schema', json_schema: schema() })._call(
        [[0n]],
        logits,
      ),
  };
  return await measure('Schema of 5 KB to the first mask', 'schema', [peer, ours], options);
}

/** The same answer of 120 tokens again and again: places are known from the second time on, as in a running server. */
async function everyMask(vocabulary: ConstraintVocabulary, options: SuiteOptions): Promise<Table> {
  const { StructuredOutputProcessor } = await loadPeer();
  const given = schema();
  const grammar = compileConstraint({ type: 'json_schema', schema: given });
  const engine = new ConstraintEngine(vocabulary);
  const tokens = answer(vocabulary, engine.matcher(grammar), 120);
  const tokenizer = peerTokenizer(vocabulary);
  const logits = peerLogits();
  const ours: Task = {
    name: FIRST,
    operations: tokens.length,
    run: () => {
      const matcher = engine.matcher(grammar);
      for (const token of tokens) {
        matcher.mask();
        matcher.accept(token);
      }
    },
  };
  const peer: Task = {
    name: 'transformers.js',
    operations: tokens.length,
    run: () => {
      const processor = new StructuredOutputProcessor(tokenizer, { type: 'json_schema', json_schema: given });
      const ids = [0n];
      for (const token of tokens) {
        processor._call([ids], logits);
        ids.push(BigInt(token));
      }
    },
  };
  return measure('A mask for each of 120 tokens', 'token', [peer, ours], options);
}

/** The allowed tokens in turn, so that strings are entered and left. */
function answer(
  vocabulary: ConstraintVocabulary,
  matcher: ReturnType<ConstraintEngine['matcher']>,
  length: number,
): number[] {
  const quote =
    Array.from({ length: vocabulary.size }, (_, id) => id).find((id) => isQuote(vocabulary.textOf(id))) ?? 0;
  return Array.from({ length }, (_, i) => {
    const mask = matcher.mask();
    const allowed = (id: number): boolean => (((mask[id >> 5] ?? 0) >>> (id & 31)) & 1) === 1;
    let token = i % 4 === 3 && allowed(quote) ? quote : (i * 7_919) % vocabulary.size;
    while (!allowed(token)) token = (token + 1) % vocabulary.size;
    matcher.accept(token);
    return token;
  });
}

function isQuote(text: Uint8Array | undefined): boolean {
  return text?.length === 1 && text[0] === 0x22;
}

/** The tokens as the peer takes them. */
function peerTokenizer(vocabulary: ConstraintVocabulary) {
  const tokens = Array.from(
    { length: vocabulary.size },
    (_, id) => vocabulary.textOf(id) ?? new Uint8Array(),
  );
  return { tokens, eosTokenId: EOS };
}

function peerLogits() {
  return { data: new Float32Array(VOCABULARY), dims: [1, VOCABULARY] };
}
