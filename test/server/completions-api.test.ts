import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { KeyedServer, ONE } from './support/keyed-server.ts';
import { askAbout, assertRefused } from './support/server.ts';

describe('texts as they are', () => {
  let client: KeyedServer;

  before(async () => {
    client = await KeyedServer.start();
  });
  after(() => client[Symbol.asyncDispose]());

  describe('POST /v1/completions', () => {
    it('goes on with a text as it is, whose control tokens are tokens', async () => {
      const chat = { messages: [{ role: 'user', content: 'What do you see?' }] };
      const plain = await client.answer('/v1/chat/completions', { ...chat, max_tokens: 12 });
      const { tokens } = await client.answer('/tokenize', chat);
      const { prompt } = await client.answer('/detokenize', { tokens });
      const asked = { add_special_tokens: false, max_tokens: 12 };
      for (const given of [prompt, [prompt], tokens, [tokens]]) {
        const body = await client.answer('/v1/completions', { ...asked, prompt: given });
        assert.equal(body.object, 'text_completion');
        // White space before it belongs to the text here.
        assert.equal(body.choices[0].text.trimStart(), plain.choices[0].message.content);
        assert.equal(body.usage.prompt_tokens, tokens.length);
      }
    });

    it('streams the same', async () => {
      const asked = { prompt: 'What is', max_tokens: 5 };
      const whole = await client.answer('/v1/completions', asked);
      const text = await (await client.send('/v1/completions', { ...asked, stream: true })).text();
      assert(text.endsWith('data: [DONE]\n\n'));
      const chunks = text.split('\n\n').filter((line) => line.startsWith('data: {'));
      const pieces = chunks.map((line) => JSON.parse(line.slice('data: '.length)).choices[0]);
      assert.equal(pieces.map((piece) => piece.text).join(''), whole.choices[0].text);
      assert.equal(pieces.at(-1).finish_reason, 'length');
    });

    it('refuses image tokens and ids that are none', async () => {
      for (const [prompt, param] of [
        ['a <image> b', 'prompt'],
        [[1, 9_999_999], 'prompt[1]'],
        ['', 'prompt'],
      ] as const) {
        const body = { prompt, add_special_tokens: false };
        const error = await assertRefused(await client.send('/v1/completions', body), 400, 'invalid_content');
        assert.equal(error.param, param);
      }
    });

    it('refuses a text that fills the context', async () => {
      const response = await client.send('/v1/completions', { prompt: 'word '.repeat(5000) });
      const error = await assertRefused(response, 400, 'context_length_exceeded');
      assert.equal(error.param, 'prompt');
    });
  });

  describe('POST /tokenize and /detokenize', () => {
    it('have the tokens that a prompt with an image has', async () => {
      const body = await client.answer('/tokenize', { messages: askAbout(33), return_token_strs: true });
      assert.deepEqual(body.tokens, ONE.promptIds);
      assert.deepEqual(
        [body.count, body.max_model_len],
        [ONE.promptIds.length, client.server.engine.contextLength],
      );
      assert.equal(body.token_strs.length, body.count);
    });

    it('give a text back, whatever is in it', async () => {
      for (const content of ['Hello', '  two  spaces ', 'wörld 🎉\n', '<|im_start|>User: a', '']) {
        const { tokens } = await client.answer('/tokenize', { content });
        assert.equal((await client.answer('/detokenize', { tokens })).content, content);
      }
    });

    it('tell the text of each token, in bytes where it is a part of a character', async () => {
      const { tokens } = await client.answer('/tokenize', { content: 'a 🎉', with_pieces: true });
      const bytes = tokens.flatMap(({ piece }: { piece: string | number[] }) =>
        typeof piece === 'string' ? [...Buffer.from(piece)] : piece,
      );
      assert.equal(Buffer.from(bytes).toString(), 'a 🎉');
    });

    it('take what spells a control token for text when told to', async () => {
      const content = '<|im_start|>';
      const one = await client.answer('/tokenize', { content });
      const letters = await client.answer('/tokenize', { content, parse_special: false });
      assert.equal(one.tokens.length, 1);
      assert(letters.tokens.length > 1);
      assert.equal((await client.answer('/detokenize', letters)).content, content);
    });

    it('refuse what is no text, and a text that no context holds, without encoding it', async () => {
      await assertRefused(await client.send('/tokenize', { content: 7 }), 400, 'invalid_type');
      await assertRefused(await client.send('/tokenize', {}), 400, 'invalid_body');
      await assertRefused(await client.send('/detokenize', { tokens: 'x' }), 400, 'invalid_type');
      const long = { content: 'a'.repeat(4_000_000) };
      const error = await assertRefused(await client.send('/tokenize', long), 400, 'context_length_exceeded');
      assert.equal(error.param, 'content');
    });
  });
});
