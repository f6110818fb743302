/**
 * One try of a request on one node: handed over, its frames put in order, asked after when it is silent. It ends by the
 * last frame, by a failure of the node's, or by the node being lost; then nothing more of it is listened to, so that an
 * answer that goes on elsewhere has no echo.
 */
import type { ChatDelta } from '../../chat-types.ts';
import { badMessage, nodeLost } from '../fleet-errors.ts';
import { LOST_MS, SILENT_MS } from '../fleet-times.ts';
import { fromFailure } from '../wire/failure.ts';
import { type Frame, frameSchema, type Piece } from '../wire/messages.ts';

/** A frame in parts: more than any answer has. */
const MOST_JOINED = 64 * 1024 * 1024;

export interface AttemptPorts<Result> {
  /** What the node says at the end. @throws TroupeError `FLEET_MESSAGE_INVALID` */
  readResult(value: unknown): Result;
  /** Called once, when the first of the answer or its end has come. */
  onBegun(): void;
  /** Asks the node to send again what came from this frame on. */
  resume(from: number): Promise<'known' | 'unknown' | 'late'>;
  /** On the patient clock, ms. */
  now(): number;
}

/** One of any result, without what only its maker needs. */
export type AnyAttempt = Pick<RemoteAttempt<unknown>, 'id' | 'isOver' | 'take' | 'check' | 'fail' | 'piece'>;

export class RemoteAttempt<Result> {
  readonly id: string;
  readonly node: string;
  readonly #behind: readonly Uint8Array[];
  readonly #ports: AttemptPorts<Result>;
  readonly #deltas: ChatDelta[] = [];
  readonly #ended = Promise.withResolvers<Result>();
  #wake = Promise.withResolvers<void>();
  #next = 0;
  #hasBegun = false;
  #parts: string[] = [];
  #joined = 0;
  #heardAt: number;
  #asking = false;
  #askedAt = Number.NEGATIVE_INFINITY;
  #isOver = false;

  /** @param behind what follows the head of the request, in order */
  constructor(id: string, node: string, behind: readonly Uint8Array[], ports: AttemptPorts<Result>) {
    this.id = id;
    this.node = node;
    this.#behind = behind;
    this.#ports = ports;
    this.#heardAt = ports.now();
    this.#ended.promise.catch(() => undefined); // it may be over before anybody waits
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Frames that have come, in order. */
  get received(): number {
    return this.#next;
  }

  /** In order, each once. Returns how the answer ended; throws why it did not. */
  async *deltas(): AsyncGenerator<ChatDelta, Result, void> {
    for (;;) {
      for (let delta = this.#deltas.shift(); delta !== undefined; delta = this.#deltas.shift()) yield delta;
      if (this.#isOver) return await this.#ended.promise;
      await this.#wake.promise;
      this.#wake = Promise.withResolvers();
    }
  }

  take(frame: Frame): void {
    if (this.#isOver) return;
    this.#heardAt = this.#ports.now();
    if (frame.s < this.#next) return; // sent twice
    if (frame.s > this.#next) {
      this.#ask();
      return;
    }
    if (frame.k === 'b') return; // nothing is missing
    this.#next += 1;
    this.#begin();
    try {
      this.#use(frame);
    } catch (error) {
      this.fail(error);
    }
  }

  /** Looks whether the node still works on it. */
  check(): void {
    if (this.#isOver) return;
    const silentMs = this.#ports.now() - this.#heardAt;
    if (silentMs > LOST_MS) this.fail(nodeLost(this.node));
    else if (silentMs > SILENT_MS) this.#ask();
  }

  fail(error: unknown): void {
    this.#end(() => this.#ended.reject(error));
  }

  /** Of what follows the request's head; undefined when the node asks for what there is not. */
  piece({ offset, length }: Piece): Uint8Array | undefined {
    const piece = new Uint8Array(length);
    let at = 0;
    let filled = 0;
    for (const one of this.#behind) {
      const from = Math.max(0, offset + filled - at);
      const some = one.subarray(from, from + length - filled);
      if (offset + filled >= at && some.length > 0) {
        piece.set(some, filled);
        filled += some.length;
      }
      at += one.length;
      if (filled === length) return piece;
    }
    return undefined;
  }

  #use(frame: Exclude<Frame, { readonly k: 'b' }>): void {
    switch (frame.k) {
      case 'd':
        this.#deltas.push(frame.v);
        this.#wake.resolve();
        return;
      case 'p':
        this.#joined += frame.v.length;
        if (this.#joined > MOST_JOINED) throw badMessage('is larger than any answer');
        this.#parts.push(frame.v);
        return;
      case 'j': {
        const json: unknown = JSON.parse(this.#parts.join(''));
        this.#parts = [];
        this.#joined = 0;
        const { a, s } = frame;
        const whole = frameSchema.safeParse({ a, s, ...(typeof json === 'object' ? json : {}) });
        if (!whole.success || whole.data.k === 'j' || whole.data.k === 'b')
          throw badMessage('was put together wrong');
        this.#use(whole.data);
        return;
      }
      case 'e': {
        const result = this.#ports.readResult(frame.v);
        this.#end(() => this.#ended.resolve(result));
        return;
      }
      case 'x':
        this.fail(fromFailure(frame.v));
        return;
      default:
        frame satisfies never;
    }
  }

  /** One question at a time, and not for every frame that comes while its answer is on its way. */
  #ask(): void {
    const now = this.#ports.now();
    if (this.#asking || now - this.#askedAt < SILENT_MS / 3) return;
    this.#asking = true;
    this.#askedAt = now;
    void this.#ports.resume(this.#next).then((outcome) => {
      this.#asking = false;
      if (outcome === 'unknown') this.fail(nodeLost(this.node));
      else if (outcome === 'known') this.#heardAt = Math.max(this.#heardAt, this.#askedAt);
    });
  }

  #begin(): void {
    if (this.#hasBegun) return;
    this.#hasBegun = true;
    this.#ports.onBegun();
  }

  #end(settle: () => void): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#begin();
    settle();
    this.#wake.resolve();
  }
}
