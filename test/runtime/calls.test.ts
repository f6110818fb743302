import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { threadId } from 'node:worker_threads';
import { ActorError, TroupeError } from '../../runtime/errors.ts';
import { ActorSystem } from '../../runtime/system/actor-system.ts';
import { type ProbeRef, probeActor } from './actors/probe-protocol.ts';
import { Gate } from './support/gate.ts';

describe('calls to an actor on a thread', () => {
  const system = new ActorSystem();
  let probe: ProbeRef;

  before(async () => {
    probe = await system.spawn(probeActor, {}, { name: 'probe' });
  });
  after(() => system.stop());

  it('runs the actor on another thread', async () => {
    assert.notEqual(await probe.ask('threadId', undefined), threadId);
  });

  it('bounds what its thread may keep of young objects, however large the machine', async () => {
    assert.equal(await probe.ask('youngGeneration', undefined), 12);
  });

  it('answers an ask with what the handler returned', async () => {
    const value = { text: 'hello', list: [1, 2], bytes: new Uint8Array([7]) };
    assert.deepEqual(await probe.ask('echo', value), value);
  });

  it('gives the handler the trace that the sender gave, in every form of a message', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    for (const payload of [undefined, { small: true }, new Map([[1, 2]])]) {
      assert.equal(await probe.ask('trace', payload, { traceparent }), traceparent);
      assert.equal(await probe.ask('trace', payload), undefined);
      assert.equal(await probe.ask('trace', payload, { traceparent: '00-"],-01' }), undefined);
    }
  });

  for (const [what, traceparent] of [
    ['of no version', 'ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'],
    ['without a trace', '00-00000000000000000000000000000000-b7ad6b7169203331-01'],
    ['without a parent', '00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01'],
  ] as const) {
    it(`leaves out a trace ${what}`, async () => {
      assert.equal(await probe.ask('trace', undefined, { traceparent }), undefined);
    });
  }

  it('leaves out a trace that is no text', async () => {
    const listed = ['00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'];
    for (const trace of [Symbol('t'), Object.create(null), listed, null]) {
      const traceparent = trace as string; // from a program without types
      assert.equal(await probe.ask('trace', undefined, { traceparent }), undefined);
    }
  });

  it('delivers the messages of one sender in order', async () => {
    const sent = Array.from({ length: 50 }, (_, index) => `note ${index}`);
    for (const note of sent) await probe.send('note', note);
    assert.deepEqual(await probe.ask('notes', undefined), sent);
  });

  it('rejects with a declared failure, class, code and details kept', async () => {
    await assert.rejects(probe.ask('fail', 'declared'), (error) => {
      assert(error instanceof TroupeError);
      assert.equal(error.code, 'PROBE_DECLARED');
      assert.deepEqual(error.details, { kind: 'declared' });
      return true;
    });
  });

  it('reports an undeclared failure as a defect with its cause, and the actor lives on', async () => {
    const before = await probe.ask('threadId', undefined);
    await assert.rejects(probe.ask('fail', 'defect'), (error) => {
      assert(error instanceof ActorError);
      assert.equal(error.code, 'DEFECT');
      assert(error.cause instanceof RangeError);
      assert.equal(error.cause.message, 'out of my range');
      return true;
    });
    assert.equal(await probe.ask('threadId', undefined), before);
  });

  for (const kind of ['wordless', 'wordless later', 'hidden'] as const) {
    it(`reports as a defect what cannot be made text, and the actor lives on (${kind})`, async () => {
      const before = await probe.ask('threadId', undefined);
      await assert.rejects(probe.ask('fail', kind), { code: 'DEFECT', message: /cannot be shown/ });
      assert.equal(await probe.ask('threadId', undefined), before);
    });
  }

  it('refuses an answer that throws what cannot be made text', async () => {
    await assert.rejects(probe.ask('unreadable', undefined), {
      code: 'PROTOCOL_VIOLATION',
      message: /the answer to unreadable cannot be sent/,
    });
  });

  it('fails an ask at its deadline and interrupts the handler', async ({ mock }) => {
    mock.timers.enable({ apis: ['setTimeout'] });
    const begun = new Gate();
    const asked = probe.ask('hang', begun.cells, { deadlineMs: 1_000 });
    await begun.reached();
    mock.timers.tick(1_000);
    await assert.rejects(asked, { code: 'ASK_TIMEOUT' });
    mock.timers.reset();
    assert((await probe.ask('notes', undefined)).includes('hang: ASK_TIMEOUT'));
  });

  it('fails an ask when its signal aborts and interrupts the handler', async () => {
    const abort = new AbortController();
    const begun = new Gate();
    const asked = probe.ask('hang', begun.cells, { signal: abort.signal });
    await begun.reached();
    abort.abort('enough');
    await assert.rejects(
      asked,
      (error) => error instanceof ActorError && error.code === 'ABORTED' && error.cause === 'enough',
    );
    assert((await probe.ask('notes', undefined)).includes('hang: ABORTED'));
  });

  it('never sends an ask whose signal is already aborted', async () => {
    const before = (await probe.ask('notes', undefined)).length;
    await assert.rejects(probe.ask('hang', undefined, { signal: AbortSignal.abort() }), { code: 'ABORTED' });
    assert.equal((await probe.ask('notes', undefined)).length, before);
  });

  it('fails an ask that is aborted while its payload is read, at whichever time', async () => {
    for (let when = 1; ; when++) {
      const abort = new AbortController();
      let reads = 0;
      const payload = {
        get field() {
          reads += 1;
          if (reads === when) abort.abort();
          return new Map();
        },
      };
      const asked = probe.ask('echo', payload, { signal: abort.signal });
      if (!abort.signal.aborted) {
        await asked;
        assert(when > 1);
        return;
      }
      await assert.rejects(asked, { code: 'ABORTED' });
    }
  });

  it('refuses a payload that cannot be cloned, and the channel stays usable', async () => {
    await assert.rejects(
      probe.ask('echo', () => {}),
      { code: 'PROTOCOL_VIOLATION' },
    );
    assert.equal(await probe.ask('echo', 'still here'), 'still here');
  });

  it('refuses a method that the protocol does not have', async () => {
    const untyped = probe as unknown as { ask(method: string, payload: unknown): Promise<unknown> };
    await assert.rejects(untyped.ask('nonsense', 1), { code: 'PROTOCOL_VIOLATION' });
  });

  it('hands a transferred buffer over', async () => {
    const buffer = new ArrayBuffer(8);
    new Uint8Array(buffer)[0] = 42;
    const answer = await probe.ask('echo', buffer, { transfer: [buffer] });
    assert.equal(buffer.byteLength, 0);
    assert(answer instanceof ArrayBuffer);
    assert.equal(new Uint8Array(answer)[0], 42);
  });

  it('moves an answer that is marked so, and clones one that is not', async () => {
    assert.equal((await probe.ask('make', { bytes: 9, moved: false })).byteLength, 9);
    assert.equal(await probe.ask('kept', undefined), 9);
    assert.equal((await probe.ask('make', { bytes: 9, moved: true })).byteLength, 9);
    assert.equal(await probe.ask('kept', undefined), 0);
  });

  it('carries cycles there and back', async () => {
    const circular: Record<string, unknown> = { n: 1 };
    circular.self = circular;
    const answer = Object(await probe.ask('echo', circular));
    assert.equal(answer.self, answer);
  });

  it('carries data that look like nothing else on the wire', async () => {
    for (const value of [{ $troupe: { name: 'x' } }, [0, 'echo', 1], 'text', '[1]', null, undefined]) {
      assert.deepEqual(await probe.ask('echo', value), value);
    }
  });

  it('refuses a deadline that is none', async () => {
    await assert.rejects(probe.ask('echo', 1, { deadlineMs: Number.NaN }), { code: 'OPTION_INVALID' });
  });

  it('fails all calls that end at the same time, and no other', async ({ mock }) => {
    mock.timers.enable({ apis: ['setTimeout'] });
    mock.method(performance, 'now', () => 1_000);
    const begun = new Gate();
    const asked = [1, 2, 3].map(() => probe.ask('hang', begun.cells, { deadlineMs: 50 }));
    const later = probe.ask('echo', 'later', { deadlineMs: 51 });
    await begun.reached();
    mock.timers.tick(50);
    for (const one of asked) await assert.rejects(one, { code: 'ASK_TIMEOUT' });
    assert.equal(await later, 'later');
  });

  it('runs control operations and statistics outside the mailbox', async () => {
    const gate = new Gate();
    const blocked = probe.ask('block', gate.cells);
    await gate.reached();
    await probe.send('note', 'behind the block');
    const stats = system.stats();
    gate.open();
    await blocked;
    assert.equal(typeof (await stats).get('probe/0')?.notes, 'number');
    const forgotten = await system.control('probe', 'forget');
    assert.equal(typeof forgotten.get('probe/0'), 'number');
    await assert.rejects(system.control('probe', 'nonsense'), { code: 'PROTOCOL_VIOLATION' });
  });

  it('rejects a control operation whose result the system may not be able to read', async () => {
    await assert.rejects(system.control('probe', 'nest'), { name: 'RangeError', message: /deep/ });
  });
});
