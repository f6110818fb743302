import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ActorSystem } from '../../../runtime/index.ts';
import { runProgram } from '../../support/run-program.ts';
import { probeActor } from '../actors/probe-protocol.ts';

const program = (name: string): URL => new URL(`./programs/${name}.ts`, import.meta.url);

describe('the end of a process or thread that has actors', () => {
  for (const [how, code] of [
    ['exit', 0],
    ['error', 1],
    ['exit of a worker', 0],
  ] as const) {
    it(`waits for native code that an actor is inside (${how})`, async () => {
      const ran = await runProgram(program('end-while-inside'), [how]);
      assert.equal(ran.stdout, 'done', ran.stderr);
      assert.equal(ran.code, code);
    });
  }

  it('leaves actors that work when it was only pretended', async () => {
    const ran = await runProgram(program('emit-exit'));
    assert.equal(ran.stdout, 'done', ran.stderr);
    assert.equal(ran.code, 0);
  });

  it('is listened to once, and no more when the actors have stopped', async () => {
    const before = process.listenerCount('exit');
    const systems = [new ActorSystem(), new ActorSystem()];
    for (const system of systems) await system.spawn(probeActor, {}, { name: 'probe', size: 2 });
    assert.equal(process.listenerCount('exit'), before + 1);
    for (const system of systems) await system.stop();
    assert.equal(process.listenerCount('exit'), before);
  });

  it('comes by itself when nothing is left but a quarantined actor', async () => {
    const ran = await runProgram(program('quarantine'));
    assert.deepEqual(JSON.parse(ran.stdout), { quarantined: ['stuck/0'], answered: 0 });
    assert.equal(ran.code, 0, ran.stderr);
  });
});
