import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { engineSchema } from '../../src/config/engine-schema.ts';
import { settingsOf } from '../../src/config/setting.ts';
import { DEFAULT_MODEL_DIRECTORY } from '../../src/index.ts';
import { modelFixture, separateGraphs } from '../actors/model/support/model-fixture.ts';
import { runCli } from '../src/cli/support/run-cli.ts';

describe('troupe inspect', () => {
  it('shows graphs, modes and actors', async () => {
    const { stdout, code } = await runCli(['inspect']);
    for (const part of [DEFAULT_MODEL_DIRECTORY, 'onnx/vision_encoder.onnx', 'past_key_values.N.key ×7']) {
      assert(stdout.includes(part), part);
    }
    assert.match(stdout, /yes .*aggregated.*:\s+\d+ × processor, no inference \(/);
    assert.match(stdout, /yes .*disaggregated.*:[\s\S]*\d+ × encoder, 1 inference thread \(.*small/);
    assert.equal(code, 0);
  });

  it('prints with --json one object', async () => {
    const { stdout } = await runCli(['inspect', '--json']);
    const report = JSON.parse(stdout);
    assert.equal(report.path, DEFAULT_MODEL_DIRECTORY);
    assert.deepEqual(
      report.graphs.map(({ role }: { role: string }) => role),
      ['vision', 'embed', 'decoder'],
    );
    assert.equal(report.modes.aggregated.ok, true);
    for (const { count, threads, why } of report.modes.disaggregated.actors) {
      assert(count >= 1 && threads >= 0 && why.length > 10);
    }
    assert.deepEqual(
      report.modes.disaggregated.weights.map(({ graph }: { graph: string }) => graph),
      ['vision', 'embed', 'decoder'],
    );
    assert.partialDeepStrictEqual(report.decoder, { rewritten: true, attention: 'split' });
    assert.ok(report.kvCache.kvCacheTokens > 0 && report.kvCache.why.includes('sequences'));
  });

  it('shows what an engine with other settings would start', async () => {
    const { stdout } = await runCli([
      'inspect',
      '--json',
      '--pds',
      '3',
      '--pd-threads',
      '2',
      '--prefills',
      '1',
    ]);
    const { actors } = JSON.parse(stdout).modes.disaggregated;
    const pd = actors.find(({ pool }: { pool: string }) => pool === 'pd');
    assert.deepEqual([pd.count, pd.threads, pd.why], [3, 2, 'as asked for']);
  });

  it('names the flag of a setting that makes no sense', async () => {
    const { stderr, code } = await runCli(['inspect', '--pds', '300']);
    assert.match(stderr, /^troupe: --pds: [^\n]+ \(300\)\. See troupe inspect --help \[INVALID_OPTION\]\n$/);
    assert.equal(code, 2);
  });

  it('names a model without a name', async () => {
    const { stderr, code } = await runCli(['inspect', '']);
    assert.match(stderr, /^troupe: --model: [^\n]+ \(""\)\. See troupe inspect --help \[INVALID_OPTION\]\n$/);
    assert.equal(code, 2);
  });

  it('takes every setting of an engine, and none of the server', async () => {
    const { stdout } = await runCli(['inspect', '--help']);
    const flags = new Set(stdout.match(/--[a-z][a-z-]*/g));
    assert.deepEqual(
      settingsOf(engineSchema).filter(({ name }) => !flags.has(name)),
      [],
    );
    assert(!flags.has('--port'));
  });

  it('says why a decoder runs as it came', async (t) => {
    const model = await modelFixture(t, separateGraphs());
    const { stdout } = await runCli(['inspect', '--model', model]);
    assert.match(stdout, /decoder runs as it came, .*attention_mask/);
    const json = await runCli(['inspect', '--json', '--model', model]);
    const { decoder } = JSON.parse(json.stdout);
    assert.equal(decoder.rewritten, false);
    assert.match(decoder.reason, /attention_mask/);
  });

  it('refuses a directory that is no model', async () => {
    const { code, stderr } = await runCli(['inspect', '--model', import.meta.dirname]);
    assert.match(stderr, /^troupe: [^\n]+ \[MODEL_FILE_MISSING\]\n$/);
    assert.equal(code, 2);
  });
});

describe('troupe', () => {
  it('prints its version', async () => {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
    const { stdout, code } = await runCli(['--version']);
    assert.equal(stdout, `${version}\n`);
    assert.equal(code, 0);
  });

  it('prints its help, with examples', async () => {
    for (const args of [[], ['--help'], ['ask', '--help']]) {
      const { stdout, stderr, code } = await runCli(args);
      assert.match(stdout, /\$ troupe ask --image/);
      assert.equal(stderr, '');
      assert.equal(code, 0);
    }
  });
});
