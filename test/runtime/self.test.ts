import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { ActorSystem } from '../../runtime/system/actor-system.ts';
import probe from './actors/probe-actor.ts';
import { type ProbeArgs, type ProbeRef, probeActor } from './actors/probe-protocol.ts';
import { Gate } from './support/gate.ts';

const QUICK = { minBackoffMs: 1 };

describe('what an actor on a thread tells itself', () => {
  let system: ActorSystem;
  let probe: ProbeRef;
  beforeEach(async () => {
    system = new ActorSystem();
    probe = await system.spawn(probeActor, {}, { name: 'probe', restart: QUICK });
  });
  afterEach(() => system.stop());

  const letter = () =>
    new Promise<unknown[]>((resolve) =>
      system.deadLetters.subscribe(({ actor, method, code, error }) =>
        resolve([actor, method, code, error?.message]),
      ),
    );

  it('is a dead letter when it waits at a crash', async () => {
    const begun = new Gate();
    void probe.ask('tellSelf', begun.cells).catch(() => {});
    await begun.reached();
    const first = letter();
    system.crash('probe/0', 'a drill');
    const why = 'probe/0 died: a drill, before it began note';
    assert.deepEqual(await first, ['probe', 'note', 'ACTOR_DIED', why]);
  });

  it('is a dead letter when a handler has it at a crash', async () => {
    const begun = new Gate();
    await probe.ask('hangSelf', begun.cells);
    await begun.reached();
    const first = letter();
    system.crash('probe/0', 'a drill');
    const why = 'probe/0 died: a drill, before it answered hangTold';
    assert.deepEqual(await first, ['probe', 'hangTold', 'ACTOR_DIED', why]);
  });

  it('is a dead letter when it waits as its pool is restarted', async () => {
    const begun = new Gate();
    void probe.ask('tellSelf', begun.cells);
    await begun.reached();
    const first = letter();
    await system.restartPool('probe');
    assert.deepEqual(await first, ['probe', 'note', 'ACTOR_STOPPED', 'probe/0 is stopped']);
  });
});

describe('an actor', () => {
  const system = new ActorSystem();
  after(() => system.stop());

  for (const where of ['on a thread', "on the system's thread"] as const) {
    describe(where, () => {
      const name = where === 'on a thread' ? 'there' : 'here';
      let pool: ProbeRef;
      let other: ProbeRef;

      const spawn = (args: ProbeArgs, options: { readonly name: string; readonly size?: number }) =>
        where === 'on a thread'
          ? system.spawn(probeActor, args, { restart: QUICK, ...options })
          : system.spawnLocal(probe, args, { restart: QUICK, ...options });

      /** Resolves when it is down: what it is sent before, it may answer still. */
      async function crash(actor: string): Promise<void> {
        const down = new Promise((resolve) => system.events.once('actor:down', resolve));
        system.crash(actor);
        await down;
      }

      before(async () => {
        pool = await spawn({ handsOver: 'notes' }, { name, size: 2 });
        other = await spawn({}, { name: `${name}-other` });
      });

      it('has a ref to itself, and not to others of its pool, that can be sent on', async () => {
        const second = await pool.ask('self', undefined, { member: `${name}/1` });
        assert.equal(await second.ask('name', undefined), `${name}/1`);
        await other.ask('keepFriend', second);
        for (let i = 0; i < 4; i++) {
          await other.ask('askFriend', i);
          assert.equal(await second.ask('name', undefined), `${name}/1`);
        }
        assert.deepEqual(second.members, [`${name}/1`]);
      });

      it('is found by that ref when it has been restarted', async () => {
        const first = await pool.ask('self', undefined, { member: `${name}/0` });
        await crash(`${name}/0`);
        assert.equal(await first.ask('name', undefined), `${name}/0`);
      });

      it('inherits what the one before handed over when its pool was restarted, refs too', async () => {
        const member = `${name}/1`;
        await pool.send('note', 'kept', { member });
        await pool.ask('keepFriend', other, { member });
        await system.restartPool(name);
        const inherited = await pool.ask('inherited', undefined, { member });
        assert(typeof inherited === 'object' && inherited !== null && 'notes' in inherited);
        assert.deepEqual(inherited.notes, ['kept']);
        assert('friend' in inherited);
        const friend = inherited.friend as ProbeRef; // as it was given
        assert.equal(await friend.ask('name', undefined), `${name}-other/0`);
      });

      it('inherits nothing of one that crashed', async () => {
        const member = `${name}/1`;
        await pool.send('note', 'lost', { member });
        await crash(member);
        assert.equal(await pool.ask('inherited', undefined, { member }), undefined);
      });

      it('inherits nothing of one that could not hand it over, and whoever restarted it is told', async () => {
        const bad = await spawn({ handsOver: 'badly' }, { name: `${name}-bad` });
        await assert.rejects(system.restartPool(`${name}-bad`), { message: 'cannot be handed over' });
        assert.equal(await bad.ask('inherited', undefined), undefined);
      });
    });
  }
});
