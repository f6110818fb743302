import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { InputError } from '../../../actors/errors.ts';
import { gatherSettings, type SettingSources } from '../../../src/config/gather-settings.ts';
import {
  isLoopback,
  printableConfig,
  SERVER_SETTINGS,
  type ServerConfig,
  serverConfig,
} from '../../../src/server/server-config.ts';

const folder = mkdtempSync(join(tmpdir(), 'troupe-config-'));
after(() => rmSync(folder, { recursive: true }));

function fileWith(text: string): string {
  const path = join(folder, `${Math.random()}.json`);
  writeFileSync(path, text);
  return path;
}

function configOf(
  given: Partial<Omit<SettingSources, 'flags'>> & { flags?: Record<string, string | string[] | boolean> },
): ServerConfig {
  const flags = new Map(Object.entries(given.flags ?? {}));
  const { options, name } = gatherSettings(SERVER_SETTINGS, {
    file: given.file,
    env: given.env ?? {},
    flags,
  });
  return serverConfig(options, name);
}

/** In the format of a key file. */
const keyFile = (text: string) => configOf({ flags: { '--api-key-file': fileWith(text) } });

describe('the keys of a server', () => {
  for (const text of ['', '\n\n', '# no-key-of-ours\n', '   \n#\n']) {
    it(`are not missing without a word from a file (${JSON.stringify(text)})`, () => {
      assert.throws(() => keyFile(text), refusal(/^--api-key-file: holds no key/));
    });
  }

  for (const key of ['k', '1234567', 'with space', 'schlüssel', 'tab\tinside']) {
    it(`are refused when they can be guessed or never be sent (${JSON.stringify(key)})`, () => {
      assert.throws(() => keyFile(`a-sound-key\n${key}\n`), refusal(/1 of 2 keys/));
      assert.throws(() => serverConfig({ apiKeys: [key] }), refusal(/apiKeys/));
    });
  }

  it('are never shown in the error', () => {
    assert.throws(
      () => keyFile('hush'),
      (error: Error) => !error.message.includes('hush'),
    );
  });
});

describe('the names of this machine', () => {
  it('are no reason to fail, whatever they look like', () => {
    for (const host of ['[::1%a.b]', '[fe80::1%lo]', '::1%', '[]', '%'])
      assert.equal(isLoopback(host), false, host);
    for (const host of ['[::1]', '127.9.9.9', 'LOCALHOST', '::ffff:127.0.0.1'])
      assert.equal(isLoopback(host), true, host);
  });
});

it('the folder of the graph cache is a known variable', () => {
  const env = { TROUPE_CACHE_DIR: '/var/cache/troupe', TROUPE_CASH_DIR: '/x' };
  assert.deepEqual(
    gatherSettings(SERVER_SETTINGS, { file: undefined, env, flags: new Map() }).unknownVariables,
    ['TROUPE_CASH_DIR'],
  );
});

const refusal = (pattern: RegExp) => (error: unknown) => {
  assert(error instanceof InputError);
  assert.equal(error.code, error.code === 'INVALID_ARGUMENT' ? 'INVALID_ARGUMENT' : 'INVALID_OPTION');
  assert.match(error.message, pattern);
  return true;
};

describe('the configuration of a server', () => {
  it('is safe by default', () => {
    const { host, loopback, apiKeys, resolved, log } = configOf({});
    assert.deepEqual({ host, loopback, apiKeys }, { host: '127.0.0.1', loopback: true, apiKeys: [] });
    assert.deepEqual(resolved.images.sources, ['bytes', 'data', 'http']);
    const { plainHttp, privateAddresses } = resolved.images;
    assert.deepEqual(
      { plainHttp, privateAddresses, contents: log.contents },
      { plainHttp: false, privateAddresses: false, contents: false },
    );
  });

  it('takes a flag before a variable, and a variable before the file', () => {
    const file = fileWith('{"port":1,"limits":{"maxImages":1},"queue":{"maxQueued":1}}');
    const env = { TROUPE_MAX_IMAGES: '2', TROUPE_PORT: '2' };
    const config = configOf({ file, env, flags: { '--port': '3' } });
    assert.deepEqual([config.port, config.resolved.limits.maxImages, config.queue.maxQueued], [3, 2, 1]);
  });

  it('reads every kind of setting from a variable', () => {
    const env = {
      TROUPE_API_KEY: 'first-key,second-key',
      TROUPE_PLAYGROUND: 'false',
      TROUPE_ALLOW_ANONYMOUS: '1',
      TROUPE_LOG_LEVEL: 'warn',
      TROUPE_DRAIN_MS: '5',
    };
    const { apiKeys, playground, allowAnonymous, log, drainMs } = configOf({ env });
    assert.deepEqual(apiKeys, ['first-key', 'second-key']);
    assert.deepEqual([playground, allowAnonymous, log.level, drainMs], [false, true, 'warn', 5]);
  });

  it('reads the file that a variable names', () => {
    assert.equal(configOf({ env: { TROUPE_CONFIG: fileWith('{"port":5}') } }).port, 5);
  });

  it('reads keys from a file, one a line', () => {
    const keys = fileWith('# comment\nfirst-key\n\nsecond-key\r\n');
    assert.deepEqual(configOf({ flags: { '--api-key-file': keys } }).apiKeys, ['first-key', 'second-key']);
  });

  it('names variables that look like settings and are none', () => {
    const env = { TROUPE_PROT: '1', TROUPE_PORT: '1', PATH: '' };
    const { unknownVariables } = gatherSettings(SERVER_SETTINGS, { file: undefined, env, flags: new Map() });
    assert.deepEqual(unknownVariables, ['TROUPE_PROT']);
  });

  it('lets into the engine what it decodes together and as many again, sixteen an actor at most', () => {
    const inFlight = (pd: object) => serverConfig({ pd }).models[0].maxInFlight;
    assert.equal(inFlight({ count: 1, maxRunning: 4 }), 8);
    assert.equal(inFlight({ count: 3, maxRunning: 100 }), 3 * 116);
  });

  it('is printed of a gateway without a number of requests that it was not told', () => {
    const printed = (queue: object) => {
      const config = serverConfig({ gateway: true, nats: { servers: ['nats://x'] }, queue });
      return JSON.parse(JSON.stringify(printableConfig(config))).queue;
    };
    assert.deepEqual(printed({}), { maxQueued: 128 });
    assert.deepEqual(printed({ maxInFlight: 3 }), { maxQueued: 128, maxInFlight: 3 });
  });

  it('has for every setting a flag and a variable of its own, and a line of help', () => {
    assert(SERVER_SETTINGS.length > 30);
    for (const key of ['name', 'variable'] as const) {
      assert.equal(new Set(SERVER_SETTINGS.map((setting) => setting[key])).size, SERVER_SETTINGS.length);
    }
    assert(SERVER_SETTINGS.every(({ help }) => help.length > 10));
  });

  for (const [name, given, pattern] of [
    ['a number out of range', { flags: { '--port': '99999' } }, /^--port: .*99999/],
    ['text for a number', { flags: { '--port': 'http' } }, /^--port: .*"http"/],
    ['text for a truth', { env: { TROUPE_LOG_CONTENTS: 'maybe' } }, /^TROUPE_LOG_CONTENTS: .*"maybe"/],
    ['an unknown choice', { env: { TROUPE_MODE: 'both' } }, /^TROUPE_MODE: .*"both"/],
    [
      'other machines without a key',
      { flags: { '--host': '0.0.0.0' } },
      /^--host: .*--api-key.*--allow-anonymous/,
    ],
    ['a contradiction', { flags: { '--encoders': '2' } }, /encoder.*aggregated/],
    ['a file that is not there', { file: '/no/such.json' }, /^--config: cannot be read/],
    ['a file that is no JSON', { file: fileWith('{') }, /^--config: is no JSON/],
    ['a list for a file', { file: fileWith('[]') }, /^--config: is no JSON object/],
    [
      'a field that does not exist',
      { file: fileWith('{"limits":{"maxImgaes":3}}') },
      /^limits\.maxImgaes in .*json/,
    ],
    [
      'a file of keys that is not there',
      { flags: { '--api-key-file': '/no/keys' } },
      /^--api-key-file: cannot be read/,
    ],
  ] as const) {
    it(`refuses ${name}, by the name it was given`, () => {
      assert.throws(() => configOf(given as never), refusal(pattern));
    });
  }

  it('does not show a key that it refuses', () => {
    assert.throws(
      () => configOf({ flags: { '--api-key': ['shorty'] } }),
      (error) => refusal(/^--api-key: .*redacted/)(error) && !String(error).includes('shorty'),
    );
  });

  for (const [host, expected] of [
    ['127.0.0.1', true],
    ['127.9.9.9', true],
    ['::1', true],
    ['[::1]', true],
    ['::ffff:127.0.0.1', true],
    ['localhost', true],
    ['0.0.0.0', false],
    ['::', false],
    ['192.168.1.1', false],
    ['127.0.0.1.evil.test', false],
    ['localhost.evil.test', false],
    ['', false],
  ] as const) {
    it(`takes ${JSON.stringify(host)} for ${expected ? 'this machine alone' : 'more than this machine'}`, () => {
      assert.equal(isLoopback(host), expected);
    });
  }
});
