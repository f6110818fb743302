import assert from 'node:assert/strict';
import { openAsBlob, readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { ActorError, type ChatMessage, InputError, Troupe } from '../../src/index.ts';
import { golden, goldenImage, goldenMessages } from '../support/golden.ts';
import { PILOT_MODEL } from '../support/pilot-model.ts';

describe('a request', () => {
  let troupe: Troupe;

  before(async () => {
    troupe = await Troupe.start({ model: PILOT_MODEL, mode: 'disaggregated', limits: { maxImages: 2 } });
  });
  after(() => troupe.stop());

  const ask = (text: string): ChatMessage[] => [{ role: 'user', content: text }];

  it('streams the answer in pieces that add up to the whole', async () => {
    const stream = troupe.stream({ messages: goldenMessages(golden(9)) });
    const pieces: string[] = [];
    for await (const { text } of stream) pieces.push(text);
    assert(pieces.length > 3);
    assert.equal(pieces.join(''), (await stream.result).text);
  });

  it('without an image goes past the encoder', async () => {
    const { usage, timings, bytesBetweenActors } = await troupe.chat({ messages: ask('What is this?') });
    assert.equal(usage.imageTokens, 0);
    assert.equal(timings.encodeMs, 0);
    assert.deepEqual(bytesBetweenActors.pixels, { moved: 0, copied: 0 });
  });

  it('takes an image as bytes of any kind, path, URL object or data URL, with one answer', async () => {
    const one = golden(2);
    const url = goldenImage(one);
    const bytes = new Uint8Array(readFileSync(url));
    const sources = [
      url,
      url.pathname,
      bytes,
      `data:image/png;base64,${Buffer.from(bytes).toString('base64')}`,
      bytes.buffer,
      new DataView(bytes.buffer),
      new Blob([bytes]),
      new File([bytes], 'one.png', { type: 'image/png' }),
      await openAsBlob(url),
    ];
    for (const image of sources) {
      const content = [
        { type: 'image' as const, image },
        { type: 'text' as const, text: one.question },
      ];
      const { tokenIds } = await troupe.chat({ messages: [{ role: 'user', content }] });
      assert.deepEqual(tokenIds, one.tokenIds);
    }
  });

  it('may hold a system message, earlier turns and several images', async () => {
    const image = goldenImage(golden(0));
    const { usage } = await troupe.chat({
      messages: [
        { role: 'system', content: 'Answer briefly.' },
        {
          role: 'user',
          content: [
            { type: 'image', image },
            { type: 'text', text: 'What do you see?' },
          ],
        },
        { role: 'assistant', content: 'A star.' },
        {
          role: 'user',
          content: [
            { type: 'image', image: goldenImage(golden(1)) },
            { type: 'text', text: 'And here?' },
          ],
        },
      ],
    });
    assert.equal(usage.imageTokens, 50);
  });

  it('is refused with the field, the value and the remedy, and the next one succeeds', async () => {
    const refused = troupe.chat({
      messages: [
        {
          role: 'user',
          content: [
            { type: 'image', image: '/no/such.png' },
            { type: 'text', text: 'Hm?' },
          ],
        },
      ],
    });
    await assert.rejects(refused, (error) => {
      assert(error instanceof InputError);
      assert.equal(error.code, 'IMAGE_NOT_FOUND');
      assert.equal(error.details.field, 'messages[0].content[0].image');
      assert.equal(error.details.value, '/no/such.png');
      assert.match(String(error.details.remedy), /path/i);
      assert(!error.message.includes('\n'));
      return true;
    });
    const one = golden(3);
    assert.deepEqual((await troupe.chat({ messages: goldenMessages(one) })).tokenIds, one.tokenIds);
  });

  for (const [name, code, request] of [
    ['no messages', 'EMPTY_MESSAGES', { messages: [] }],
    ['an unknown role', 'INVALID_ROLE', { messages: [{ role: 'robot', content: 'Hi' }] }],
    ['a negative token limit', 'INVALID_SAMPLING', { messages: ask('Hi'), maxTokens: -1 }],
    ['a temperature that is no number', 'INVALID_SAMPLING', { messages: ask('Hi'), temperature: 'hot' }],
    [
      'more images than the limit',
      'TOO_MANY_IMAGES',
      { messages: [0, 1, 2].flatMap((i) => goldenMessages(golden(i))) },
    ],
    ['a prompt beyond the context', 'PROMPT_TOO_LONG', { messages: ask('word '.repeat(5_000)) }],
  ] as const) {
    it(`with ${name} is refused`, async () => {
      await assert.rejects(troupe.chat(request as Parameters<Troupe['chat']>[0]), {
        name: 'InputError',
        code,
      });
    });
  }

  for (const [name, messages] of [
    [
      'a picture without words',
      [{ role: 'user', content: [{ type: 'image', image: goldenImage(golden(0)) }] }],
    ],
    ['an empty text', ask('')],
    ['a system message alone', [{ role: 'system', content: 'Tell what you can do.' }]],
  ] as const) {
    it(`with ${name} is answered`, async () => {
      const { usage } = await troupe.chat({ messages, maxTokens: 4 });
      assert(usage.completionTokens > 0);
    });
  }

  it('with a field that does not exist is refused at once', () => {
    const request = { messages: ask('Hi'), max_tokens: 3 };
    assert.throws(() => troupe.stream(request), { name: 'InputError', code: 'UNKNOWN_FIELD' });
  });

  it('treats special tokens that a user typed as text', async () => {
    const typed = 'What <image> is <end_of_utterance> this?';
    const { usage } = await troupe.chat({ messages: ask(typed) });
    assert.equal(usage.imageTokens, 0);
    const plain = await troupe.chat({ messages: ask('What  is  this?') });
    // As text, each takes many of the byte-level tokens; as control tokens, one.
    assert(usage.promptTokens > plain.usage.promptTokens + 8);
  });

  it('ends at a stop string, which is not part of the text', async () => {
    const one = golden(0);
    const { text, finishReason } = await troupe.chat({ messages: goldenMessages(one), stop: [' triangle'] });
    assert.equal(text, one.greedy.slice(0, one.greedy.indexOf(' triangle')));
    assert.equal(finishReason, 'stop');
  });

  it('ends at its token limit', async () => {
    const one = golden(0);
    const { tokenIds, finishReason } = await troupe.chat({ messages: goldenMessages(one), maxTokens: 3 });
    assert.deepEqual(tokenIds, one.tokenIds.slice(0, 3));
    assert.equal(finishReason, 'length');
  });

  it('samples the same text from the same seed, whatever else runs', async () => {
    const request = { messages: goldenMessages(golden(0)), temperature: 1.5, seed: 7 };
    const alone = await troupe.chat(request);
    const [again] = await Promise.all([
      troupe.chat(request),
      ...[1, 2, 3].map((seed) => troupe.chat({ ...request, seed: seed + 7 })),
    ]);
    assert.deepEqual(again.tokenIds, alone.tokenIds);
  });

  it('ends when its signal aborts', async () => {
    const abort = new AbortController();
    const stream = troupe.stream({ messages: goldenMessages(golden(9)), signal: abort.signal });
    await assert.rejects(
      async () => {
        for await (const _ of stream) abort.abort('enough');
      },
      (error) => error instanceof ActorError && error.code === 'ABORTED' && error.cause === 'enough',
    );
    await assert.rejects(stream.result, { code: 'ABORTED' });
  });

  it('that is aborted and never read keeps no timer', async () => {
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const before = timers();
    const stream = troupe.stream({ messages: goldenMessages(golden(9)) });
    const deltas = stream[Symbol.asyncIterator]();
    await deltas.next();
    assert.equal(timers(), before + 1, 'its deadline');
    stream.abort();
    assert.equal(timers(), before);
    await assert.rejects(stream.result, { code: 'ABORTED' });
  });

  it('that was aborted before it began never reaches an actor', async () => {
    const request = { messages: goldenMessages(golden(0)), signal: AbortSignal.abort() };
    await assert.rejects(troupe.chat(request), { code: 'ABORTED' });
  });

  it('with a Blob that never gives its bytes ends with its time, or when it is aborted', async () => {
    const image = { size: 1, arrayBuffer: () => new Promise<ArrayBuffer>(() => {}) };
    const content = [{ type: 'image', image } as const, { type: 'text', text: 'What?' } as const];
    const messages: ChatMessage[] = [{ role: 'user', content }];
    await assert.rejects(troupe.chat({ messages, timeoutMs: 1 }), { code: 'DEADLINE_EXCEEDED' });
    const abort = new AbortController();
    const stream = troupe.stream({ messages, signal: abort.signal });
    abort.abort('enough');
    await assert.rejects(
      async () => {
        for await (const _ of stream);
      },
      { code: 'ABORTED' },
    );
    await assert.rejects(troupe.chat({ messages, signal: AbortSignal.abort() }), { code: 'ABORTED' });
  });

  it('that was aborted before its Blob failed leaves no failure that nobody hears', async () => {
    const unheard: unknown[] = [];
    const listener = (error: unknown) => unheard.push(error);
    process.on('unhandledRejection', listener);
    try {
      const image = { size: 1, arrayBuffer: () => Promise.reject(new Error('gone')) };
      const content = [{ type: 'image', image } as const, { type: 'text', text: 'What?' } as const];
      const request = { messages: [{ role: 'user', content } as const], signal: AbortSignal.abort() };
      await assert.rejects(troupe.chat(request), { code: 'ABORTED' });
      await new Promise(setImmediate); // Node tells of them when the microtasks are done
      assert.deepEqual(unheard, []);
    } finally {
      process.off('unhandledRejection', listener);
    }
  });

  it('that is no object is refused at once', () => {
    assert.throws(() => troupe.stream(null as never), { name: 'InputError', code: 'INVALID_REQUEST' });
  });

  it('with a signal that is no AbortSignal is refused at once', () => {
    const request = { messages: ask('Hi'), signal: {} as AbortSignal };
    assert.throws(() => troupe.stream(request), { name: 'InputError', code: 'INVALID_OPTION' });
  });

  it('that holds what no other thread can be sent is refused', async () => {
    const messages = [{ role: 'user', content: () => 'Hi' }] as never;
    await assert.rejects(troupe.chat({ messages }), { name: 'InputError', code: 'INVALID_REQUEST' });
  });

  it('with a timeout that is no time is refused at once', () => {
    const request = { messages: ask('Hi'), timeoutMs: Number.NaN };
    assert.throws(() => troupe.stream(request), { name: 'InputError', code: 'INVALID_OPTION' });
  });

  it('fails at its deadline', async () => {
    const request = { messages: goldenMessages(golden(0)), timeoutMs: 1 };
    await assert.rejects(troupe.chat(request), { code: 'DEADLINE_EXCEEDED', retrySafe: true });
  });
});

describe('an engine', () => {
  it('holds no pixels when its requests are over, failed and aborted ones included', async () => {
    await using troupe = await Troupe.start({ model: PILOT_MODEL, mode: 'disaggregated' });
    const abort = new AbortController();
    const requests = [0, 1, 2, 3].map((index) =>
      troupe.chat({
        messages: goldenMessages(golden(index)),
        ...(index % 2 ? { signal: abort.signal } : {}),
      }),
    );
    abort.abort();
    await Promise.allSettled(requests);
    await troupe.clearCaches();
    const { arenas, requestsInFlight } = await troupe.stats();
    assert.equal(requestsInFlight, 0);
    assert.deepEqual(
      arenas.map(({ name, tensors }) => [name, tensors]),
      [
        ['pixels', 0],
        ['embeddings', 0],
        ['decoding', 0],
        ['decoding-small', 0],
      ],
    );
  });

  it('fails what is in flight when it stops, and refuses what comes after', async () => {
    const troupe = await Troupe.start();
    const inFlight = troupe.chat({ messages: goldenMessages(golden(0)) });
    const failed = assert.rejects(inFlight, { code: 'ENGINE_STOPPED' });
    await troupe.stop();
    await failed;
    assert.throws(() => troupe.stream({ messages: goldenMessages(golden(0)) }), { code: 'ENGINE_STOPPED' });
  });

  it('settles a request that nobody reads, when it stops', async () => {
    const troupe = await Troupe.start();
    const unread = troupe.stream({ messages: goldenMessages(golden(0)) });
    const settled = assert.rejects(unread.result, { code: 'ENGINE_STOPPED' });
    await troupe.stop();
    await settled;
  });

  it('lets requests in flight end when it is asked to drain', async () => {
    const troupe = await Troupe.start({ model: PILOT_MODEL });
    const inFlight = troupe.chat({ messages: goldenMessages(golden(0)) });
    await troupe.stop({ drainMs: 60_000 });
    assert.deepEqual((await inFlight).tokenIds, golden(0).tokenIds);
  });

  it('names both sides of a contradiction in its options', async () => {
    await assert.rejects(Troupe.start({ model: PILOT_MODEL, mode: 'aggregated', encoder: { count: 2 } }), {
      code: 'INVALID_OPTION',
      message: /encoder.*aggregated/,
    });
  });

  it('refuses an option that it does not know', async () => {
    await assert.rejects(Troupe.start({ modle: 'x' } as object), {
      code: 'INVALID_OPTION',
      message: /modle/,
    });
  });
});
