/** Several clients of one pool whose members compute, so that none of them takes anything or tells what it has to do. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { ActorSystem } from '../../../runtime/system/actor-system.ts';
import { type ProbeRef, probeActor } from '../actors/probe-protocol.ts';
import { CHECKED } from '../support/checked.ts';
import { Gate } from '../support/gate.ts';

const MEMBERS = ['pool/0', 'pool/1', 'pool/2', 'pool/3'] as const;

describe('four clients of a pool of four', CHECKED, () => {
  let system: ActorSystem;
  let clients: ProbeRef[];
  let gates: Gate[];
  let blocked: Promise<void>[];

  beforeEach(async () => {
    system = new ActorSystem();
    const pool = await system.spawn(probeActor, {}, { name: 'pool', size: MEMBERS.length });
    const mirror = await system.spawn(probeActor, {}, { name: 'mirror' });
    const given = await Promise.all(MEMBERS.map(() => mirror.ask('giveRef', pool)));
    clients = given.map((ref) => ref as ProbeRef); // what it was given
    for (const member of MEMBERS) for (const client of clients) await client.ask('echo', 1, { member });
    gates = [];
    blocked = MEMBERS.map((member) => {
      const gate = new Gate();
      gates.push(gate);
      return pool.ask('block', gate.cells, { member });
    });
    for (const gate of gates) await gate.reached();
  });

  afterEach(async () => {
    for (const gate of gates) gate.open();
    await system.stop();
  });

  const waiting = () => MEMBERS.map((member) => system.loads().get(member)?.queueDepth ?? 0);

  /** What each member has been told. Order holds for each client alone, so each of them has to have been heard. */
  async function notes(): Promise<unknown[]> {
    for (const gate of gates) gate.open();
    await Promise.all(blocked);
    for (const client of clients)
      await Promise.all(MEMBERS.map((member) => client.ask('echo', 1, { member })));
    return Promise.all(MEMBERS.map((member) => clients[0]?.ask('notes', undefined, { member })));
  }

  it('send one message each to four members', async () => {
    for (const client of clients) assert.equal(client.tell('note', 'here'), 'sent');
    assert.deepEqual(await notes(), [['here'], ['here'], ['here'], ['here']]);
  });

  it('do not both send to the member that both saw with the least to do', async () => {
    const [one, other] = clients;
    let interrupted = false;
    // Asked of each member when its load has been read: the other client sends before this one has chosen.
    const prefer = (member: string) => {
      if (member === MEMBERS.at(-1) && !interrupted) {
        interrupted = true;
        other?.tell('note', 'other');
      }
      return 0;
    };
    one?.tell('note', 'one', { prefer });
    assert.deepEqual(await notes(), [['other'], ['one'], [], []]);
  });

  it('count what could not be sent to nobody', () => {
    const before = waiting();
    assert.equal(clients[0]?.tell('note', (() => {}) as never), 'refused'); // it cannot be cloned
    assert.deepEqual(waiting(), before);
  });

  it('are seen by who reads the loads', () => {
    const before = waiting();
    const more = () => waiting().map((count, index) => count - (before[index] ?? 0));
    for (const client of clients) client.tell('note', 'here');
    assert.deepEqual(more(), [1, 1, 1, 1]);
    for (const client of clients) client.tell('note', 'once more', { member: 'pool/2' });
    assert.deepEqual(more(), [1, 1, 5, 1]);
  });
});
