import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Troupe } from '../../src/index.ts';
import { HELLO, post } from '../server/support/server.ts';
import { startProcess } from '../server/support/server-process.ts';
import { ended } from '../src/cli/support/run-cli.ts';
import { hangingModel, POISON } from '../support/hanging-model.ts';
import { LOOPS, loopingModel } from '../support/looping-model.ts';
import { runProgram } from '../support/run-program.ts';

const ask = (content: string) => ({ messages: [{ role: 'user', content }] as const, maxTokens: 2 });

describe('a request that hangs an actor', () => {
  it('ends with an error, without a second try, and those beside it are answered', async () => {
    await using model = await hangingModel();
    await using troupe = await Troupe.start({ model: model.path, watchdog: { turnMs: 2_000 } });
    const tried: string[] = [];
    troupe.events.on('request:retry', ({ requestId }) => tried.push(requestId));
    const beside = [1, 2, 3].map((n) => troupe.chat(ask(`question ${n}`)));
    const poison = troupe.chat(ask(POISON));
    const behind = [4, 5, 6].map((n) => troupe.chat(ask(`question ${n}`)));
    await assert.rejects(poison, { code: 'REQUEST_CRASHED_ACTOR', retrySafe: false });
    for (const answer of [...beside, ...behind]) assert.equal((await answer).usage.completionTokens, 2);
    assert.equal(new Set(tried).size, tried.length, 'nobody was there at two deaths');
    const { actors, ready } = troupe.health();
    assert.equal(ready, true);
    assert.equal(actors.find(({ name }) => name === 'processor/0')?.restarts, 1);
  });

  it('in native code ends with an error, without a second try', async () => {
    const { stdout } = await runProgram(new URL('../e2e/programs/loops-natively.ts', import.meta.url));
    assert.deepEqual(JSON.parse(stdout), {
      hung: ['aggregated/0'],
      codes: ['REQUEST_CRASHED_ACTOR', 'answered'],
    });
  });

  it('in native code does not keep the process when it is to end', async () => {
    await using model = await loopingModel();
    const times = ['--request-timeout-ms', '1000', '--stop-grace-ms', '500', '--drain-ms', '100'];
    const { child, url } = await startProcess(['--model', model.path, ...times]);
    const end = ended(child);
    const late = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...HELLO, messages: [{ role: 'user', content: LOOPS }] }),
    });
    assert.equal(late.status, 504);
    child.kill('SIGTERM');
    assert.deepEqual(await end, { code: null, signal: 'SIGTERM' });
  });

  it('does not get the actor given up, however many of them come', async () => {
    await using model = await hangingModel();
    await using troupe = await Troupe.start({ model: model.path, watchdog: { turnMs: 1_000 } });
    for (let i = 0; i < 7; i++) {
      await assert.rejects(troupe.chat(ask(POISON)), { code: 'REQUEST_CRASHED_ACTOR' });
    }
    assert.equal((await troupe.chat(ask('and now?'))).usage.completionTokens, 2);
    assert.deepEqual(troupe.health().failed, []);
  });

  it('is seen in the health of the engine before the actor is replaced', async () => {
    await using model = await hangingModel();
    await using troupe = await Troupe.start({ model: model.path, watchdog: { turnMs: 7_000 } });
    const poison = assert.rejects(troupe.chat(ask(POISON)), { code: 'REQUEST_CRASHED_ACTOR' });
    const silent = () =>
      troupe.health().actors.find(({ name }) => name === 'processor/0')?.load?.silentMs ?? 0;
    // For seconds: with a pause, as one core is taken by the actor.
    while (troupe.health().ready) await new Promise((resolve) => setTimeout(resolve, 10));
    assert(silent() >= 5_000, `silent for ${silent()} ms`);
    await poison;
    assert.equal((await troupe.chat(ask('and now?'))).usage.completionTokens, 2);
    assert.equal(troupe.health().ready, true);
  });
});

describe('an actor that is given up', () => {
  it('ends the server with exit code 1, after its drain', async () => {
    await using model = await hangingModel();
    const args = ['--model', model.path, '--watchdog-turn-ms', '2000', '--drain-ms', '1000'];
    const { child, url, logged } = await startProcess(args);
    const end = ended(child);
    await rm(join(model.path, 'tokenizer.json')); // no restart succeeds
    const body = { ...HELLO, messages: [{ role: 'user', content: POISON }] };
    const refused = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    assert.equal(refused.status, 500);
    assert.equal(refused.headers.get('x-should-retry'), 'false');
    await logged('actor given up');
    await logged('draining');
    assert.deepEqual(await end, { code: 1, signal: null });
  });

  it('is what /live says', async () => {
    const { startServer } = await import('../server/support/server.ts');
    await using server = await startServer({ retries: 0 });
    assert.equal((await fetch(`${server.url}/live`)).status, 200);
    server.engine.events.on('actor:up', ({ actor }) => void server.engine.crash(actor));
    server.engine.crash('aggregated/0');
    assert.equal((await server.failed).code, 'ACTOR_ESCALATED');
    const live = await fetch(`${server.url}/live`);
    assert.equal(live.status, 503);
    assert.deepEqual(await live.json(), { status: 'failed', failed: ['aggregated'] });
    assert.equal((await post(server, HELLO)).status, 503);
  });
});
