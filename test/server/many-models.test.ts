import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { DEFAULT_MODEL_DIRECTORY } from '../../src/default-model.ts';
import type { ServeOptions, TroupeServer } from '../../src/server/serve.ts';
import { serverConfig } from '../../src/server/server-config.ts';
import { runCli } from '../src/cli/support/run-cli.ts';
import { golden } from '../support/golden.ts';
import { HubServer, repoOfFolder } from '../support/hub-server.ts';
import { nodesOf, notOfGateways } from './support/behind-gateway.ts';
import { askAbout, MODEL, post, startServer } from './support/server.ts';

const TWO = [
  { name: 'pilot', model: MODEL, memoryBytes: 1e9 },
  { name: 'embedded', model: DEFAULT_MODEL_DIRECTORY, memoryBytes: 1e9 },
] as const;

const startTwo = (options: ServeOptions = {}) =>
  startServer({ models: TWO, modelsMemoryBytes: 1.5e9, ...options });

/** Of each model, of the server or of each of its nodes. */
const statesOf = (server: TroupeServer) =>
  nodesOf(server).map(({ models }) => models.map(({ state }) => state));

const each = (server: TroupeServer, states: readonly string[]) => nodesOf(server).map(() => states);

/** Of our own server. */
async function jsonOf(response: Response) {
  return JSON.parse(await response.text());
}

async function answerOf(server: TroupeServer, model: string | undefined): Promise<string> {
  const response = await post(server, {
    ...(model && { model }),
    messages: askAbout(0),
    max_tokens: 32,
    temperature: 0,
  });
  const body = await jsonOf(response);
  assert.equal(response.status, 200, JSON.stringify(body));
  if (model !== undefined) assert.equal(body.model, model);
  return body.choices[0]?.message.content ?? '';
}

async function metric(server: TroupeServer, name: string): Promise<number> {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  const line = text.split('\n').find((each) => each.startsWith(`${name} `));
  return Number(line?.split(' ').at(-1));
}

const OF_NODES = notOfGateways('what is in memory is told by each node');

describe('a server of two models, with memory for one', () => {
  let server: TroupeServer;

  beforeEach(async () => {
    server = await startTwo();
  });

  afterEach(async () => {
    await server.close();
  });

  it('lists both, and loads none before it is asked for', async () => {
    const { data } = await jsonOf(await fetch(`${server.url}/v1/models`));
    assert.deepEqual(
      data.map(({ id }: { id: string }) => id),
      ['pilot', 'embedded'],
    );
    assert.deepEqual(statesOf(server), each(server, ['absent', 'absent']));
    assert.equal((await fetch(`${server.url}/health`)).status, 200);
  });

  it('answers with the model that a request names, and with the first where none is named', async () => {
    const pilot = await answerOf(server, 'pilot');
    assert.equal(pilot.trim(), golden(0).greedy.trim());
    const embedded = await answerOf(server, 'embedded');
    assert.notEqual(embedded, pilot);
    assert.equal(await answerOf(server, undefined), pilot);
  });

  it('refuses another model, and names those that are there', async () => {
    const response = await post(server, {
      model: 'other/model',
      messages: [{ role: 'user', content: 'Hi' }],
    });
    assert.equal(response.status, 404);
    const { error } = await jsonOf(response);
    assert.equal(error.code, 'model_not_found');
    assert.match(error.message, /pilot, embedded are served/);
  });

  it('loses no request under load, and answers each with its own model', async () => {
    const alone = { pilot: await answerOf(server, 'pilot'), embedded: await answerOf(server, 'embedded') };
    const names = Array.from({ length: 40 }, (_, index) => (index % 3 === 0 ? 'embedded' : 'pilot'));
    const answers = await Promise.all(names.map((name) => answerOf(server, name)));
    for (const [index, name] of names.entries()) {
      assert.equal(answers[index], alone[name === 'pilot' ? 'pilot' : 'embedded'], `${index} ${name}`);
    }
    for (const states of statesOf(server))
      assert.equal(states.filter((state) => state === 'loaded').length, 1);
  });

  it('counts loads, unloads and requests by model', { skip: OF_NODES }, async () => {
    for (const name of ['pilot', 'embedded', 'pilot']) await answerOf(server, name);
    assert.equal(await metric(server, 'troupe_model_load_seconds_count{model_name="pilot"}'), 2);
    assert.equal(await metric(server, 'troupe_model_load_seconds_count{model_name="embedded"}'), 1);
    assert.equal(await metric(server, 'troupe_model_unloads_total{reason="room",model_name="pilot"}'), 1);
    assert.equal(await metric(server, 'troupe_model_loaded{model_name="pilot"}'), 1);
    assert.equal(await metric(server, 'troupe_model_loaded{model_name="embedded"}'), 0);
    assert.equal(await metric(server, 'troupe_model_memory_bytes{model_name="pilot"}'), 1e9);
    assert.equal(await metric(server, 'troupe_models_budget_bytes'), 1.5e9);
    assert.equal(await metric(server, 'troupe_requests_total{outcome="success",model_name="pilot"}'), 2);
    assert.equal(await metric(server, 'troupe_actor_up{actor="aggregated/0",model_name="pilot"}'), 1);
    const { models } = await jsonOf(await fetch(`${server.url}/health`));
    assert.deepEqual(
      models.map(({ name, state, ready }: Record<string, unknown>) => [name, state, ready]),
      [
        ['pilot', 'loaded', true],
        ['embedded', 'absent', false],
      ],
    );
  });
});

describe('a server of several models', () => {
  it('loads those at the start that it is told to', async () => {
    await using server = await startTwo({ preloadModels: true, modelsMemoryBytes: 3e9 });
    assert.deepEqual(statesOf(server), each(server, ['loaded', 'loaded']));
  });

  it('loads no more of them at the start than there is room for', async () => {
    await using server = await startTwo({ preloadModels: true });
    assert.deepEqual(statesOf(server), each(server, ['loaded', 'absent']));
  });

  it('unloads a model after its time without a request', { skip: OF_NODES }, async () => {
    const models = [{ ...TWO[0], keepAliveMs: 0 }, TWO[1]];
    await using server = await startTwo({ models });
    await answerOf(server, 'pilot');
    while (server.models[0]?.state !== 'absent') await new Promise(setImmediate);
    assert.equal(await metric(server, 'troupe_model_unloads_total{reason="idle",model_name="pilot"}'), 1);
    await answerOf(server, 'pilot');
  });

  it('starts when a model of it cannot be loaded, which only those hear who ask for it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'troupe-broken-'));
    await using server = await startTwo({ models: [TWO[0], { name: 'broken', model: folder }] });
    const response = await post(server, { model: 'broken', messages: [{ role: 'user', content: 'Hi' }] });
    assert.equal(response.status, 503);
    assert.equal((await jsonOf(response)).error.code, 'model_unavailable');
    await answerOf(server, 'pilot');
    rmSync(folder, { recursive: true });
  });

  it('estimates what a model takes by its files and options', { skip: OF_NODES }, async () => {
    const [pilot, embedded] = TWO.map(({ name, model }) => ({ name, model }));
    assert(pilot !== undefined && embedded !== undefined);
    await using server = await startTwo({ models: [pilot, embedded], modelsMemoryBytes: 8e9 });
    await answerOf(server, 'pilot');
    const [{ memoryBytes = 0 } = {}] = server.models;
    assert(memoryBytes > 5e6 && memoryBytes < 8e9, String(memoryBytes));
  });

  it('refuses a model that needs more than there is for all', async () => {
    await using server = await startTwo({ modelsMemoryBytes: 5e8 });
    const response = await post(server, { model: 'pilot', messages: [{ role: 'user', content: 'Hi' }] });
    assert.equal(response.status, 503);
    assert.equal((await jsonOf(response)).error.code, 'model_over_budget');
  });

  for (const [what, options] of [
    ['two of one name', { models: [TWO[0], TWO[0]] }],
    ['model and models', { models: TWO, model: MODEL }],
    ['a name for several', { models: TWO, modelName: 'x' }],
    ['limits of one of them', { models: [{ ...TWO[0], limits: { maxImages: 1 } } as never] }],
  ] as const) {
    it(`is not made of ${what}`, () => {
      assert.throws(() => serverConfig(options), { code: 'INVALID_OPTION' });
    });
  }
});

describe('a server that may pull', { skip: notOfGateways('a gateway pulls nothing') }, () => {
  const home = mkdtempSync(join(tmpdir(), 'troupe-allow-pull-'));
  const environment = { ...process.env };
  let hub: HubServer;

  before(async () => {
    hub = await HubServer.start();
    hub.repos.set('troupe/pilot', repoOfFolder(MODEL));
    Object.assign(process.env, { HF_ENDPOINT: hub.endpoint, HF_HOME: home });
  });

  after(async () => {
    process.env = environment;
    await hub[Symbol.asyncDispose]();
    rmSync(home, { recursive: true, force: true });
  });

  it('fetches what a request names, and answers with it', async () => {
    await using server = await startServer({ allowPull: true });
    assert.equal((await answerOf(server, 'troupe/pilot')).trim(), golden(0).greedy.trim());
    assert.deepEqual(
      server.models.map(({ name }) => name),
      ['pilot', 'troupe/pilot'],
    );
  });

  it('tells the client what is wrong with a name, and forgets it', async () => {
    await using server = await startServer({ allowPull: true });
    const ask = async (model: string) => {
      const response = await post(server, { model, messages: [{ role: 'user', content: 'Hi' }] });
      return [response.status, (await jsonOf(response)).error.code];
    };
    assert.deepEqual(await ask('troupe/none'), [404, 'model_not_on_hub']);
    assert.deepEqual(await ask('../models/default'), [404, 'model_not_found']);
    assert.deepEqual(await ask('src/server'), [404, 'model_not_on_hub']); // a folder that is there
    assert.equal(server.models.length, 1);
  });

  it('fetches nothing when it may not', async () => {
    await using server = await startServer();
    const before = hub.served.length;
    const response = await post(server, {
      model: 'troupe/pilot',
      messages: [{ role: 'user', content: 'Hi' }],
    });
    assert.equal(response.status, 404);
    assert.equal(hub.served.length, before);
  });

  it('is configured by several flags, and by a file', async () => {
    const args = [
      'serve',
      '--print-config',
      '--model',
      'a/b',
      '--model',
      'c/d@v1',
      '--model-keep-alive-ms',
      '5',
    ];
    const flags = JSON.parse((await runCli(args)).stdout);
    assert.deepEqual(
      flags.models.map(({ name, model, keepAliveMs }: Record<string, unknown>) => [name, model, keepAliveMs]),
      [
        ['a/b', 'a/b', 5],
        ['c/d@v1', 'c/d@v1', 5],
      ],
    );
    const file = join(home, 'troupe.json');
    writeFileSync(
      file,
      JSON.stringify({
        models: [
          { model: 'a/b', dtype: 'q4' },
          { model: 'c/d', mode: 'x' },
        ],
      }),
    );
    const { code, stderr } = await runCli(['serve', '--config', file]);
    assert.equal(code, 2);
    assert.match(stderr, /models\.1\.mode in .*troupe\.json/);
    writeFileSync(file, JSON.stringify(flags));
    assert.deepEqual(JSON.parse((await runCli(['serve', '--print-config', '--config', file])).stdout), flags);
  });
});
