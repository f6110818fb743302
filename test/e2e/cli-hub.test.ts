import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runCli } from '../src/cli/support/run-cli.ts';
import { golden, goldenImage } from '../support/golden.ts';
import { HubServer, repoOfFolder } from '../support/hub-server.ts';
import { PILOT_MODEL } from '../support/pilot-model.ts';

const NAME = 'troupe/pilot';

describe('the command line, with a model on the Hub', () => {
  const home = mkdtempSync(join(tmpdir(), 'troupe-cli-hub-'));
  let hub: HubServer;

  before(async () => {
    hub = await HubServer.start();
    hub.repos.set(NAME, repoOfFolder(PILOT_MODEL));
  });

  after(async () => {
    await hub[Symbol.asyncDispose]();
    rmSync(home, { recursive: true, force: true });
  });

  const run = (args: readonly string[], more: NodeJS.ProcessEnv = {}) =>
    runCli(args, '', { env: { ...process.env, HF_ENDPOINT: hub.endpoint, HF_HOME: home, ...more } });

  const question = () => {
    const one = golden(0);
    return { args: ['--image', fileURLToPath(goldenImage(one)), one.question], answer: one.greedy };
  };

  it('asks a model by its name, which is fetched meanwhile, without a word in a pipe', async () => {
    const { args, answer } = question();
    const { code, stdout, stderr } = await run(['ask', '--model', NAME, ...args]);
    assert.deepEqual({ code, stdout: stdout.trim(), stderr }, { code: 0, stdout: answer.trim(), stderr: '' });
    assert(hub.requestsFor('onnx/decoder_model_merged.onnx') > 0);
  });

  it('asks it again offline', async () => {
    const before = hub.served.length;
    const { args, answer } = question();
    const { stdout } = await run(['ask', '--model', NAME, ...args], { HF_HUB_OFFLINE: '1' });
    assert.equal(stdout.trim(), answer.trim());
    assert.equal(hub.served.length, before);
  });

  it('pulls nothing where nothing is new', async () => {
    const { code, stdout, stderr } = await run(['pull', NAME, '--json']);
    assert.deepEqual([code, stderr], [0, '']);
    const { id, revision, fetchedFiles } = JSON.parse(stdout);
    assert.deepEqual({ id, revision, fetchedFiles }, { id: NAME, revision: 'main', fetchedFiles: 0 });
  });

  it('lists it', async () => {
    const { models } = JSON.parse((await run(['models', '--json'])).stdout);
    assert.equal(models.length, 1);
    assert.deepEqual([models[0].name, models[0].dtypes, models[0].supported], [NAME, ['fp32'], true]);
    assert.match((await run(['models'])).stdout, /troupe\/pilot .* fp32 .* idefics3/);
  });

  it('inspects it', async () => {
    const { stdout } = await run(['inspect', NAME, '--json']);
    assert.equal(JSON.parse(stdout).modelType, 'idefics3');
  });

  it('removes it, and then it is not there', async () => {
    assert.equal((await run(['rm', NAME])).code, 0);
    const { code, stderr } = await run(['rm', NAME]);
    assert.equal(code, 2);
    assert.match(stderr, /^troupe: .*\[MODEL_NOT_CACHED\]\n$/);
    assert.match((await run(['models'])).stdout, /^no models/);
  });

  it('says in one line what is wrong', async () => {
    const { code, stdout, stderr } = await run(['ask', '--model', 'troupe/none', '--json', 'What?']);
    assert.equal(code, 2);
    assert.match(stderr, /^troupe: There is no such model at [^\n]* \[MODEL_NOT_ON_HUB\]\n$/);
    assert.equal(JSON.parse(stdout).error.code, 'MODEL_NOT_ON_HUB');
  });
});
