/** Bodies that are dear to read: refused by their shape, and never read on the thread that answers everyone. */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import sharp from 'sharp';
import type { TroupeServer } from '../../src/server/serve.ts';
import { askAboutUrl, assertRefused, assertServes, HELLO, post, startServer } from './support/server.ts';

const MIB = 1024 * 1024;
const QUESTION = '{"type":"text","text":"Hi"}';
const asking = (content: string) => `{"messages":[{"role":"user","content":${content}}],"max_tokens":2}`;
const picture = (url: string) => asking(`[{"type":"image_url","image_url":{"url":"${url}"}},${QUESTION}]`);
const keys = (count: number) => Array.from({ length: count }, (_, i) => `"k${i}":null`).join(',');

/** A picture that nothing compresses: more than a megabyte, as a client may rightly send it. */
async function largePicture(): Promise<string> {
  const noise = { type: 'gaussian', mean: 128, sigma: 60 } as const;
  const create = { width: 700, height: 700, channels: 3, background: 'black', noise } as const;
  const png = await sharp({ create }).png({ compressionLevel: 0 }).toBuffer();
  assert(png.length > MIB);
  return `data:image/png;base64,${png.toString('base64')}`;
}

describe('a server that is sent large bodies', () => {
  let server: TroupeServer;

  before(async () => {
    server = await startServer();
  });
  afterEach(() => assertServes(server));
  after(() => server.close());

  for (const [name, body, code] of [
    ['lists in lists', `{"messages":${'['.repeat(MIB)}${']'.repeat(MIB)}}`, 'body_too_complex'],
    [
      'objects in objects',
      `{"messages":${'{"a":'.repeat(MIB / 4)}1${'}'.repeat(MIB / 4)}}`,
      'body_too_complex',
    ],
    ['unknown keys', `{${keys(200_000)}}`, 'body_too_complex'],
    [
      'keys of a message',
      `{"messages":[{"role":"user","content":"Hi",${keys(200_000)}}]}`,
      'body_too_complex',
    ],
    ['keys of a field', `{"messages":[],"logit_bias":{${keys(200_000)}}}`, 'body_too_complex'],
    ['numbers for messages', `{"messages":[${'1,'.repeat(MIB)}1]}`, 'body_too_complex'],
    ['stop strings', `{"messages":[],"stop":[${'"a",'.repeat(MIB / 4)}"a"]}`, 'body_too_complex'],
    [
      'empty parts',
      asking(`[${'{"type":"text","text":""},'.repeat(100_000)}${QUESTION}]`),
      'body_too_complex',
    ],
    [
      'fewer empty parts',
      asking(`[${'{"type":"text","text":""},'.repeat(5_000)}${QUESTION}]`),
      'too_many_parts',
    ],
    ['a long text', asking(`"${'a'.repeat(4 * MIB)}"`), 'context_length_exceeded'],
    ['a text of escapes', asking(`"${'\\u0061'.repeat(MIB)}"`), 'context_length_exceeded'],
    ['a percent-encoded image', picture(`data:image/png,${'%41'.repeat(MIB)}`), 'image_format_unsupported'],
    [
      'a percent sign in base64',
      picture(`data:image/png;base64,${'%41'.repeat(MIB)}`),
      'image_format_unsupported',
    ],
    [
      'spaces in base64',
      picture(`data:image/png;base64,${'QUJD '.repeat(MIB / 4)}`),
      'image_format_unsupported',
    ],
    ['nothing but padding', picture(`data:image/png;base64,${'='.repeat(MIB)}`), 'image_data_url_invalid'],
    ['a data URL that is all head', picture(`data:image/png${'; '.repeat(MIB)}`), 'image_data_url_invalid'],
    ['a long address', picture(`https://${'a'.repeat(MIB)}.example/`), 'invalid_value'],
    ['a long address of other letters', picture(`https://${'ü'.repeat(MIB)}`), 'invalid_value'],
    ['no JSON', `{"messages":"${'a'.repeat(MIB)}`, 'invalid_json'],
    ['half a surrogate pair', asking(`"${'a'.repeat(MIB)}\\ud800"`), 'invalid_value'],
    ['a name that comes twice', `{"user":"${'a'.repeat(MIB)}","user":"b","messages":[]}`, 'invalid_json'],
  ] as const) {
    it(`refuses one with ${name}`, async () => {
      const { message } = await assertRefused(await post(server, body), 400, code);
      assert(message.length < 500);
    });
  }

  it('parses none of them on the thread that answers, and answers them', async (t) => {
    const image = await largePicture();
    const parse = t.mock.method(JSON, 'parse');
    const response = await post(server, askAboutUrl(image));
    const longest = Math.max(...parse.mock.calls.map(({ arguments: [text] }) => String(text).length));
    parse.mock.restore();
    assert.equal(response.status, 200, await response.text());
    assert(longest < 16 * 1024, `${longest} characters were parsed`);
  });

  it('keeps a connection on which a large body was answered', async () => {
    const long = asking(`"${'a'.repeat(2 * MIB)}"`);
    const response = await post(server, long);
    await assertRefused(response, 400, 'context_length_exceeded');
    assert.equal(response.headers.get('connection'), 'keep-alive');
  });

  it('names the field that is wrong in a large body as in a small one', async () => {
    const question = { messages: [{ role: 'user', content: 'Hi' }] };
    for (const user of ['', 'x'.repeat(100_000)]) {
      const { param } = await assertRefused(
        await post(server, { ...question, verbosity: 'low', metadata: { user } }),
        400,
        'unsupported_value',
      );
      assert.equal(param, 'verbosity');
    }
  });

  it('names the field of a picture that cannot be decoded, as the client wrote it', async () => {
    const url = `data:image/png;base64,${'*'.repeat(MIB)}`;
    const image = { type: 'image_url', image_url: url };
    const file = { type: 'file', file: { file_data: url } };
    for (const [part, field] of [
      [image, 'image_url'],
      [file, 'file.file_data'],
    ] as const) {
      const body = { messages: [{ role: 'user', content: [part] }] };
      const { param } = await assertRefused(await post(server, body), 400, 'image_data_url_invalid');
      assert.equal(param, `messages[0].content[0].${field}`);
    }
  });

  it('gives a body no room on a route that takes none', async () => {
    for (const path of ['/none', '/health', '/v1/models', '/']) {
      const response = await post(server, `"${'a'.repeat(100_000)}"`, { path });
      await assertRefused(response, 404, 'not_found');
    }
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    assert.match(metrics, /buffered_bytes(?:\{.*\})? 0$/m);
  });

  it('answers a small request while large bodies are read', async () => {
    const body = asking(`"${'a'.repeat(8 * MIB)}"`);
    const large = Array.from({ length: 4 }, () => post(server, body));
    assert.equal((await post(server, HELLO)).status, 200);
    for (const response of await Promise.all(large)) {
      assert([400, 429].includes(response.status), `${response.status}`);
      await response.text();
    }
  });
});
