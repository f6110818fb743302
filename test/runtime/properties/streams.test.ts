/** Streams that are written, read, handed on, interrupted and cut as it comes, over both transports: what must hold. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { TroupeError } from '../../../runtime/errors.ts';
import { StreamReader } from '../../../runtime/stream/stream-reader.ts';
import { StreamWriter } from '../../../runtime/stream/stream-writer.ts';
import { InProcessTransport } from '../../../runtime/transport/in-process.ts';
import { MessagePortTransport } from '../../../runtime/transport/message-port.ts';
import type { Port } from '../../../runtime/transport/port.ts';
import { CHECKED } from '../support/checked.ts';

type Chunk = { readonly n: number; readonly data?: Uint8Array };

type Step =
  /** A small chunk is text, one with bytes a clone. */
  | { readonly do: 'write'; readonly bytes: number }
  | {
      readonly do: 'write badly' | 'read' | 'move' | 'turn' | 'end' | 'end badly' | 'fail' | 'cancel' | 'die';
    };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 40,
    arbitrary: fc.record({ do: fc.constant('write' as const), bytes: fc.constantFrom(0, 0, 1_000, 9_000) }),
  },
  { weight: 30, arbitrary: fc.record({ do: fc.constantFrom('read' as const, 'turn' as const) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constantFrom('move' as const, 'write badly' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom(
        'end' as const,
        'end badly' as const,
        'fail' as const,
        'cancel' as const,
        'die' as const,
      ),
    }),
  },
);

const WINDOW_BYTES = 10_000;
const UNCLONEABLE = () => {};
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

class World {
  readonly #window: number;
  readonly #reader: StreamReader<Chunk, number>;
  readonly #chunks: AsyncIterator<Chunk, void>;
  #port: Port;
  #writer: StreamWriter<Chunk, number>;
  #reading: Promise<void> | undefined;
  readonly #written: Chunk[] = [];
  readonly #read: Chunk[] = [];
  /** How the reader was told that it is over, each time. */
  readonly #ends: unknown[] = [];
  /** What has been done that may end it, in order. */
  readonly #causes: string[] = [];
  readonly #writtenBy = new SharedArrayBuffer(4);

  constructor(pair: readonly [Port, Port], window: number) {
    this.#window = window;
    const [mine, theirs] = pair;
    const options = { window, windowBytes: WINDOW_BYTES, label: 'a.stream', revive: (wire: unknown) => wire };
    this.#reader = new StreamReader(mine, options);
    this.#reader.final.then(
      (value) => this.#ends.push(value),
      (error) => this.#ends.push(error),
    );
    this.#chunks = this.#reader[Symbol.asyncIterator]();
    this.#port = theirs;
    this.#writer = new StreamWriter({
      port: theirs.detach().token,
      credits: window,
      byteCredits: WINDOW_BYTES,
      interrupted: undefined,
      writtenBy: this.#writtenBy,
    });
  }

  async take(one: Step): Promise<void> {
    switch (one.do) {
      case 'write':
        this.#write(one.bytes);
        break;
      case 'write badly':
        this.#badly(() => this.#writer.write({ n: UNCLONEABLE } as never));
        break;
      case 'end badly':
        this.#badly(() => this.#writer.end(UNCLONEABLE as never));
        break;
      case 'read':
        this.#startReading();
        break;
      case 'move':
        this.#move();
        break;
      case 'turn':
        await turn();
        break;
      case 'end':
        if (this.#writer.isOpen) this.#causes.push('end');
        this.#writer.end(this.#written.length);
        break;
      case 'fail':
        if (this.#writer.isOpen) this.#causes.push('fail');
        this.#writer.fail(new TroupeError('as declared', { code: 'DECLARED' }));
        break;
      case 'cancel':
        this.#causes.push('cancel');
        this.#reader.cancel();
        break;
      case 'die':
        this.#causes.push('die');
        this.#port.close();
    }
  }

  /** Everything is read; who writes goes on until it has credit again, and ends. */
  async finish(): Promise<void> {
    await this.#readAll();
    if (this.#writer.isOpen && !this.#writer.signal.aborted && this.#causes.length === 0) {
      assert(this.#write(0), 'whose reader has read all has credit');
      this.#causes.push('end');
      this.#writer.end(this.#written.length);
    }
    await this.#readAll();
    assert.equal(this.#ends.length, 1, 'it ends once');
    assert.deepEqual(this.#read, this.#written.slice(0, this.#read.length), 'in order, none twice');
    const [outcome] = this.#ends;
    if (typeof outcome === 'number') {
      assert.equal(outcome, this.#written.length);
      assert.equal(this.#read.length, this.#written.length, 'none is lost');
      assert(this.#causes.includes('end'));
      return;
    }
    assert(TroupeError.is(outcome));
    const cause = { DECLARED: 'fail', ABORTED: 'cancel', ACTOR_DIED: 'die' }[outcome.code];
    assert(cause !== undefined && this.#causes.includes(cause), `${outcome.code} after ${this.#causes}`);
    if (outcome.code === 'DECLARED') assert.equal(this.#read.length, this.#written.length, 'none is lost');
    if (cause === 'cancel') assert(this.#writer.signal.aborted || !this.#writer.isOpen, 'who writes is told');
  }

  #write(bytes: number): boolean {
    const chunk = { n: this.#written.length, ...(bytes === 0 ? {} : { data: new Uint8Array(bytes) }) };
    if (!this.#writer.write(chunk)) return false;
    this.#written.push(chunk);
    // One that is being read may have been granted before it is given out.
    const ahead = this.#written.slice(this.#read.length + (this.#reading === undefined ? 0 : 1));
    assert(ahead.length <= this.#window, 'no more chunks than the window');
    const before = ahead.slice(0, -1).reduce((sum, { data }) => sum + (data?.length ?? 0), 0);
    assert(before < WINDOW_BYTES, 'no more bytes than the window, save those of one chunk');
    return true;
  }

  #badly(work: () => void): void {
    if (!this.#writer.isOpen || this.#port.byReference) return; // there nothing is cloned
    try {
      work();
    } catch (error) {
      assert.equal((error as Error).name, 'DataCloneError');
      assert(this.#writer.isOpen, 'the stream goes on');
    }
  }

  /** To another actor; what has arrived for the one before comes along. */
  #move(): void {
    if (!this.#writer.isOpen) return;
    const { token } = this.#writer.move(this.#port, 1);
    this.#writer = new StreamWriter({ ...token, writtenBy: this.#writtenBy }, 1);
    if (!('postMessage' in token.port)) this.#port = token.port;
    else this.#port = new MessagePortTransport(token.port);
  }

  #startReading(): void {
    this.#reading ??= this.#chunks
      .next()
      .then(
        ({ value }) => {
          if (value !== undefined) this.#read.push(value);
        },
        () => {},
      )
      .then(() => {
        this.#reading = undefined;
      });
  }

  async #readAll(): Promise<void> {
    for (let idle = 0; idle < 4; idle++) {
      const before = this.#read.length;
      this.#startReading();
      await turn();
      if (this.#read.length > before) idle = 0;
    }
  }
}

const TRANSPORTS: readonly (readonly [string, () => readonly [Port, Port]])[] = [
  ['between threads', () => MessagePortTransport.pair()],
  ['within a thread', () => InProcessTransport.pair()],
];

describe('a stream', () => {
  for (const [where, pair] of TRANSPORTS) {
    it(`${where} gives each chunk once, in order, within its window, and ends once, whatever happens when`, async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.integer({ min: 1, max: 6 }),
          fc.array(step, { minLength: 10, maxLength: 60, size: 'max' }),
          async (window, steps) => {
            const world = new World(pair(), window);
            for (const one of steps) await world.take(one);
            await world.finish();
          },
        ),
        CHECKED,
      );
    });
  }
});
