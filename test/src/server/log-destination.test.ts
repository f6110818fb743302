import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LogDestination } from '../../../src/server/observe/log-destination.ts';

const failure = (code: string) => Object.assign(new Error(code), { code });

interface Disk {
  /** What was written. */
  text: string;
  /** What the next writes do: take so many bytes, or fail; then all is taken. */
  readonly next: (number | string)[];
  readonly waits: number[];
  readonly log: LogDestination;
  /** Lets everything that is on its way happen. */
  settle(): Promise<void>;
}

function disk(): Disk {
  const next: (number | string)[] = [];
  const waits: number[] = [];
  const made: Disk = {
    text: '',
    next,
    waits,
    log: new LogDestination({
      lostLine: (lines) => `lost ${lines}`,
      write: async (_, bytes) => {
        const step = next.shift() ?? bytes.length;
        if (typeof step === 'string') throw failure(step);
        made.text += Buffer.from(bytes.subarray(0, step)).toString();
        return step;
      },
      wait: async (ms) => waits.push(ms),
    }),
    settle: () => new Promise(setImmediate),
  };
  return made;
}

describe('where log lines go', () => {
  it('writes lines in order', async () => {
    const full = disk();
    full.log.write('a\n');
    full.log.write('b\n');
    await full.settle();
    full.log.write('c\n');
    await full.settle();
    assert.equal(full.text, 'a\nb\nc\n');
  });

  for (const code of ['ENOSPC', 'EPIPE', 'EIO', 'EBADF']) {
    it(`drops what cannot be written (${code}), and says so when it can again`, async () => {
      const full = disk();
      full.next.push(code, code);
      full.log.write('a\n');
      full.log.write('b\n');
      await full.settle();
      assert.deepEqual(full.waits, [1_000]);
      full.log.write('c\n');
      await full.settle();
      full.log.write('d\n');
      await full.settle();
      assert.equal(full.text, 'lost 3\nd\n');
    });
  }

  it('ends the line that a full disk cut in two', async () => {
    const full = disk();
    full.next.push(3, 'ENOSPC');
    full.log.write('abcdef\n');
    await full.settle();
    full.log.write('next\n');
    await full.settle();
    assert.equal(full.text, 'abc\nlost 1\nnext\n');
  });

  it('waits for a reader that is only slow', async () => {
    const full = disk();
    full.next.push(2, 'EAGAIN', 'EAGAIN');
    full.log.write('abcdef\n');
    await full.settle();
    assert.equal(full.text, 'abcdef\n');
    assert.deepEqual(full.waits, [20, 20]);
  });

  it('holds no more than its bound for a reader that does not read', async () => {
    const stuck = Promise.withResolvers<number>();
    const written: number[] = [];
    const log = new LogDestination({
      lostLine: (lines) => `lost ${lines}`,
      write: (_, bytes) => {
        written.push(bytes.length);
        return written.length === 1 ? stuck.promise : Promise.resolve(bytes.length);
      },
    });
    const line = `${'x'.repeat(1024 * 1024 - 1)}\n`;
    log.write('first\n');
    await new Promise(setImmediate);
    for (let i = 0; i < 6; i++) log.write(line);
    stuck.resolve(6);
    await new Promise(setImmediate);
    assert.deepEqual(written, [6, 4 * 1024 * 1024 + 'lost 2\n'.length]);
  });
});
