import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { inspectModel, Troupe } from '../../src/index.ts';
import { serve } from '../../src/server/index.ts';
import { PILOT_MODEL } from '../support/pilot-model.ts';

/** Callers in plain JavaScript may pass anything; they hear what is wrong with it, and what helps. */
const NO_OBJECTS = [
  null,
  'model',
  5,
  true,
  [],
  [{ model: 'x' }],
  () => {},
  new Map(),
  Promise.resolve({}),
] as never[];

const refusal = (field: string) => (error: Error) => {
  assert.equal(error.name, 'InputError');
  assert.equal(Reflect.get(error, 'code'), 'INVALID_OPTION');
  assert(error.message.startsWith(`${field}: `), error.message);
  assert.match(error.message, /\. Give /);
  return true;
};

describe('options that are no object are refused', () => {
  it('by Troupe.start', async () => {
    for (const options of NO_OBJECTS) await assert.rejects(Troupe.start(options), refusal('options'));
  });

  it('by inspectModel', async () => {
    for (const options of NO_OBJECTS) await assert.rejects(inspectModel(options), refusal('options'));
  });

  it('by serve', async () => {
    for (const options of NO_OBJECTS) await assert.rejects(serve(options), refusal('options'));
  });
});

describe('a value that is none is refused', () => {
  const unprintable = [
    Object.create(null),
    Symbol('x'),
    10n,
    [],
    null,
    { toString: () => assert.fail('it was asked') },
  ];

  it('whatever it is', async () => {
    for (const model of unprintable)
      await assert.rejects(Troupe.start({ model }), { code: 'INVALID_OPTION', message: /^model: / });
  });
});

it('a proxy that is none is refused without its password', async () => {
  const images = { proxy: 'ftp://me:secret@proxy' };
  await assert.rejects(Troupe.start({ images }), (error: Error) => {
    assert.match(error.message, /^images\.proxy: /);
    assert(!error.message.includes('secret'), error.message);
    return true;
  });
});

describe('hooks that are none are refused', () => {
  it('by Troupe.start', async () => {
    await assert.rejects(Troupe.start({ onProgress: 'yes' as never }), refusal('onProgress'));
    await assert.rejects(Troupe.start({ signal: 'stop' as never }), refusal('signal'));
    await assert.rejects(Troupe.start({ signal: {} as never }), refusal('signal'));
  });

  it('by serve', async () => {
    await assert.rejects(serve({ port: 0, onProgress: 5 as never }), refusal('onProgress'));
    for (const logger of [null, 5, {}, console.log] as never[])
      await assert.rejects(serve({ port: 0, logger }), refusal('logger'));
    await assert.rejects(serve({ port: 0, signal: new AbortController() as never }), refusal('signal'));
  });
});

describe('a running engine refuses', () => {
  let troupe: Troupe;

  before(async () => {
    troupe = await Troupe.start({ model: PILOT_MODEL });
  });
  after(() => troupe.stop());

  it('a request that is none', async () => {
    for (const request of [null, undefined, 'hi', 5, [], () => {}] as never[])
      await assert.rejects(troupe.chat(request), { name: 'InputError', code: 'INVALID_REQUEST' });
  });

  it('a request without messages', async () => {
    for (const request of [{}, { messages: null }, { messages: 'hi' }, { messages: {} }] as never[])
      await assert.rejects(troupe.chat(request), { name: 'InputError', code: 'EMPTY_MESSAGES' });
  });

  it('to stop by options that are none, and goes on', async () => {
    for (const options of NO_OBJECTS) await assert.rejects(troupe.stop(options), refusal('options'));
    for (const drainMs of [null, 'soon', -1, Number.NaN] as never[])
      await assert.rejects(troupe.stop({ drainMs }), refusal('drainMs'));
    const { text } = await troupe.chat({ messages: [{ role: 'user', content: 'Hello?' }], maxTokens: 1 });
    assert.equal(typeof text, 'string');
  });

  it('to crash an actor without a name', () => {
    for (const actor of [null, undefined, 5, {}] as never[])
      assert.throws(() => troupe.crash(actor), refusal('actor'));
  });
});
