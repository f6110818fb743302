import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { z } from 'zod';
import {
  type AnySchema,
  type JsonSchema,
  Troupe,
  type TypedSchema,
  toolArguments,
} from '../../../src/index.ts';
import { jsonSchemaOf } from '../../../src/schema/any-schema.ts';
import { PILOT_MODEL } from '../../support/pilot-model.ts';

const messages = [{ role: 'user', content: 'What do you see?' }] as const;
const receipt = z.object({ shop: z.enum(['A', 'B']), paid: z.boolean().transform((paid) => (paid ? 1 : 0)) });
const weather = { name: 'weather', parameters: z.object({ city: z.enum(['Oslo']) }) };

/** Compiles only where the types are the same. */
function assertType<Expected>() {
  return <Given>(value: Given & ([Given, Expected] extends [Expected, Given] ? unknown : never)): Given =>
    value;
}

describe('an answer with a schema', () => {
  let troupe: Troupe;
  before(async () => {
    troupe = await Troupe.start({ model: PILOT_MODEL });
  });
  after(() => troupe.stop());

  it('is an object of the schema’s type, transformed as it says', async () => {
    const { object, text } = await troupe.chat({ messages, schema: receipt });
    const { shop, paid } = assertType<{ shop: 'A' | 'B'; paid: 0 | 1 }>()(object);
    const written = JSON.parse(text);
    assert.equal(shop, written.shop);
    assert.equal(paid, written.paid ? 1 : 0);
  });

  it('is one at the end of a stream, too, for each of n answers', async () => {
    const stream = troupe.stream({ messages, schema: receipt, n: 2 });
    let text = '';
    for await (const delta of stream) if (delta.index === 0) text += delta.text;
    const { object, choices } = await stream.result;
    assertType<{ shop: 'A' | 'B'; paid: 0 | 1 }>()(object);
    assert.equal(object.shop, JSON.parse(text).shop);
    assert.equal(choices.length, 2);
    assert.deepEqual(choices[0]?.object, object);
  });

  it('is unknown of plain JSON Schema', async () => {
    const schema: JsonSchema = { enum: [7, 8] };
    const { object } = await troupe.chat({ messages, schema });
    assertType<unknown>()(object);
    assert(object === 7 || object === 8);
  });

  it('may be no object where the model may call a tool', async () => {
    const asked = {
      messages,
      schema: receipt,
      tools: [weather],
      toolChoice: 'required',
      parallelToolCalls: false,
    } as const;
    const { object, toolCalls } = await troupe.chat(asked);
    assertType<{ shop: 'A' | 'B'; paid: 0 | 1 } | undefined>()(object);
    assert.equal(object, undefined);
    assert(toolCalls !== undefined);
  });

  it('is no half object', async () => {
    const cut = { messages, schema: receipt, maxTokens: 2 };
    await assert.rejects(troupe.chat(cut), { code: 'OBJECT_INCOMPLETE' });
    const stream = troupe.stream(cut);
    for await (const _ of stream);
    await assert.rejects(stream.result, { code: 'OBJECT_INCOMPLETE' });
    await assert.rejects(troupe.chat({ messages, schema: receipt, stop: [':'] }), {
      code: 'OBJECT_INCOMPLETE',
    });
  });

  it('fails where the schema asks for what JSON Schema cannot say, and does not get it', async () => {
    const schema = z.object({ a: z.literal(1) }).refine(() => false, 'never');
    await assert.rejects(troupe.chat({ messages, schema }), { code: 'OBJECT_INVALID', message: /never/ });
  });

  it('refuses what is no schema, and a constraint beside one', () => {
    const chat = (schema: unknown, more = {}) =>
      troupe.stream({ messages, schema: schema as AnySchema, ...more });
    const mute = { '~standard': { version: 1, vendor: 'mute', validate: (value: unknown) => ({ value }) } };
    for (const schema of [7, 'x', [], null, mute, z.object({ a: z.bigint() })]) {
      assert.throws(() => chat(schema), { code: 'INVALID_SCHEMA' });
    }
    assert.throws(() => chat(true, { constraint: { type: 'json_object' } }), { code: 'INVALID_SCHEMA' });
  });

  it('calls have arguments of their type', async () => {
    const asked = { messages, tools: [weather], toolChoice: { name: 'weather' } } as const;
    const { toolCalls = [], finishReason } = await troupe.chat(asked);
    assert.equal(finishReason, 'tool_calls');
    const [call] = toolCalls;
    assert(call !== undefined);
    const given = await toolArguments(weather, call);
    assertType<{ city: 'Oslo' }>()(given);
    assert.deepEqual(given, { city: 'Oslo' });
    const other = { ...call, name: 'time' };
    await assert.rejects(toolArguments(weather, other), { code: 'INVALID_TOOLS' });
    const cut = { ...call, arguments: '{"ci' };
    await assert.rejects(toolArguments(weather, cut), { code: 'TOOL_ARGUMENTS_INCOMPLETE' });
    const wrong = { ...call, arguments: '{"city": "Rome"}' };
    await assert.rejects(toolArguments(weather, wrong), { code: 'TOOL_ARGUMENTS_INVALID' });
  });
});

it('objects of typed schemas have no other members, unless the schema says so', () => {
  const schema: TypedSchema = z.object({ a: z.object({ b: z.string() }), c: z.looseObject({ d: z.int() }) });
  const json = jsonSchemaOf(schema, 'schema');
  assert.equal(JSON.stringify(json).match(/"additionalProperties":false/g)?.length, 2);
  assert.match(JSON.stringify(json), /"d":\{[^}]*\}\},"required":\["d"\],"additionalProperties":\{\}/);
  const open = { type: 'object', properties: { a: {} } } as const;
  assert.deepEqual(jsonSchemaOf(open, 'schema'), open);
});
