import { once } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { resourceLimits, threadId } from 'node:worker_threads';
import { defineActor } from '../../../runtime/actor/behaviour.ts';
import { TroupeError } from '../../../runtime/errors.ts';
import { inNative, workingOn } from '../../../runtime/thread/this-thread.ts';
import { isError } from '../../../runtime/util/realms.ts';
import { transfer } from '../../../runtime/wire/moved.ts';
import { Gate } from '../support/gate.ts';
import { type ProbeRef, probeActor } from './probe-protocol.ts';

export default defineActor({
  blueprint: probeActor,
  async setup({ failStarts, spinStarts, handsOver, hires, label }, context) {
    if (spinStarts !== undefined && Atomics.add(spinStarts.cell, 0, 1) >= spinStarts.from) {
      Atomics.notify(spinStarts.cell, 0);
      for (;;);
    }
    if (failStarts !== undefined && Atomics.add(failStarts.cell, 0, 1) >= failStarts.from) {
      throw new TroupeError('cannot start', { code: 'PROBE_START' });
    }
    const notes: string[] = [];
    let endTimer = () => {};
    let made = new ArrayBuffer(0);
    let friend: ProbeRef | undefined;
    if (hires !== undefined) friend = await context.spawn(probeActor, {}, { name: hires });
    return {
      handlers: {
        note: (text) => void notes.push(text),
        notes: () => notes,
        echo: (value) => value,
        threadId: () => threadId,
        youngGeneration: () => resourceLimits.maxYoungGenerationSizeMb,
        fail(kind) {
          if (kind === 'defect') throw new RangeError('out of my range');
          if (kind === 'wordless') throw Object.create(null);
          if (kind === 'wordless later') return Promise.reject(Object.create(null));
          if (kind === 'hidden') {
            const { proxy, revoke } = Proxy.revocable({}, {});
            revoke();
            throw proxy;
          }
          throw new TroupeError('as declared', { code: 'PROBE_DECLARED', details: { kind } });
        },
        unreadable: () => ({
          get field() {
            throw Object.create(null);
          },
        }),
        block: (cells) => Gate.pass(cells),
        hang: (cells, { signal }) =>
          new Promise((resolve) => {
            if (cells !== undefined) Gate.touch(cells);
            const interrupt = AbortSignal.any([signal, context.stopping]);
            interrupt.addEventListener('abort', () => {
              notes.push(`hang: ${interrupt.reason.code}`);
              resolve(interrupt.reason.code);
            });
          }),
        spin: ({ gate, requestId }) =>
          workingOn(requestId, () => {
            Gate.touch(gate);
            for (;;);
          }),
        native: (cells) => inNative(async () => Gate.pass(cells)),
        spinBeforeNative() {
          void inNative(() => new Promise((resolve) => setImmediate(resolve)));
          for (;;);
        },
        streamThenBlock(cells, writer) {
          writer.write(1);
          const block = () => void inNative(async () => Gate.pass(cells));
          setImmediate(() => setImmediate(block)); // when the hand-over was answered
        },
        relayBlock: ({ to, cells }, writer) => to.forward('streamThenBlock', cells, writer),
        readBlocked: ({ from, cells }) =>
          from.stream('streamThenBlock', cells).final.then(
            () => 'ended',
            (error) => error.code,
          ),
        async crash() {
          setImmediate(() => {
            throw new Error('crashed in a handler');
          });
          await new Promise(() => {});
        },
        exit: () => process.exit(0),
        failTold(why) {
          throw new RangeError(why);
        },
        hangTold(cells) {
          Gate.touch(cells);
          return new Promise(() => {});
        },
        async tellSelf(cells) {
          await context.self.connected;
          context.self.tell('note', 'to myself');
          Gate.touch(cells);
          await once(context.stopping, 'abort');
        },
        async hangSelf(cells) {
          await context.self.connected;
          context.self.tell('hangTold', cells);
        },
        make({ bytes, moved }) {
          made = new ArrayBuffer(bytes);
          return moved ? transfer(made, [made]) : made;
        },
        async makeMany({ bytes, count }, writer) {
          const next = () => {
            made = new ArrayBuffer(bytes);
            return transfer(made, [made]);
          };
          for (let i = 1; i < count; i++) await writer.send(next());
          writer.end(next());
        },
        kept: () => made.byteLength,
        neverEnd(_, writer) {
          writer.write(1);
        },
        relayNeverEnd: (to, writer) => to.forward('neverEnd', undefined, writer),
        async readNeverEnd({ from, cells }) {
          try {
            for await (const _ of from.stream('neverEnd', undefined)) Gate.touch(cells);
          } catch (error) {
            return isError(error) && isError(error.cause) ? error.cause.message : error;
          }
        },
        endBadly(_, writer) {
          setImmediate(() => {
            try {
              writer.end(() => {});
            } catch (error) {
              writer.fail(error);
            }
          });
        },
        async say(value, writer) {
          await writer.send(value);
          writer.end(value);
        },
        noteLater({ ms, text, every }) {
          endTimer = every ? context.every(ms, 'note', text) : context.after(ms, 'note', text);
        },
        endTimer: () => endTimer(),
        badTimer: () => void context.after(1, 'echo', 1),
        environment: (name) => process.env[name],
        collectGarbage() {
          setFlagsFromString('--expose-gc');
          const collect: unknown = runInNewContext('gc');
          if (typeof collect === 'function') collect();
          return typeof collect === 'function';
        },
        async count(upTo, writer) {
          for (let i = 1; i <= upTo; i++) await writer.send(i);
          writer.end(context.name);
        },
        endless(_, writer) {
          let i = 0;
          const loop = context.loop(() => {
            if (writer.signal.aborted) {
              notes.push(`endless: ${writer.signal.reason.code}`);
              writer.fail(writer.signal.reason);
              return false;
            }
            writer.write(i++);
            return true;
          });
          loop.wake();
        },
        relay({ to, upTo, deadlineMs, untilStopped = false }, writer) {
          const signal = untilStopped ? AbortSignal.any([writer.signal, context.stopping]) : undefined;
          return to.forward('count', upTo, writer, { deadlineMs, signal });
        },
        askOther: ({ other, value }) => other.ask('echo', value),
        keepFriend(ref) {
          friend = ref;
        },
        askFriend: (value) => friend?.ask('echo', value),
        raise(cell) {
          Atomics.store(cell, 0, 1);
          Atomics.notify(cell, 0);
        },
        raiseThroughFriend: async (cell) => await friend?.send('raise', cell),
        hold: (floats) => context.arena('memory').allocate('float32', [floats], context.holder),
        hangInLock(cells) {
          Atomics.exchange = () => {
            Gate.touch(cells);
            for (;;);
          };
          context.arena('memory').tryAllocate('float32', [1], context.holder);
        },
        giveRef: (ref) => ref,
        trace: (_, { traceparent }) => traceparent,
        self: () => context.self,
        name: () => context.name,
        inherited: () => context.inherited ?? label,
        hire: ({ args = {}, ...options }) =>
          context.spawn(probeActor, (index) => ({ label: `${index}`, ...args }), options),
        async dismiss(name) {
          await context.stopPool(name);
        },
      },
      control: {
        forget: () => notes.splice(0).length,
        nest() {
          let nested: object = {};
          for (let depth = 0; depth < 6_000; depth++) nested = { nested };
          return nested;
        },
      },
      handOver() {
        if (handsOver === 'badly') throw new RangeError('cannot be handed over');
        return handsOver === undefined ? undefined : { notes: [...notes], friend };
      },
      stats: () => ({ notes: notes.length }),
      stop: () => void notes.push('stopped'),
    };
  },
});
