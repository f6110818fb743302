/**
 * The way of a request's answers to their sink. Text that the consumer has no credit for waits here and is merged with what
 * follows, so a slow consumer delays nobody else in the batch and costs one string, not a queue. So does all but the
 * first piece of an answer that is wanted whole: nobody reads it before, and every piece wakes the caller's thread.
 *
 *     open ──end()──▶ draining ──all text taken──▶ settled
 *       └────────fail()────┴──────────────────────▶ settled
 */
import type { GenerationSummary, RequestEnvelope } from '../../generation.ts';
import { cancelled } from '../engine-errors.ts';
import { AnswerPiece } from './answer-piece.ts';
import type { ChosenToken } from './choice.ts';
import type { GenerationSink } from './generation-sink.ts';

export type AnsweredRequest = Pick<
  RequestEnvelope,
  'requestId' | 'wantsStream' | 'constraint' | 'keepsSpace'
> & {
  readonly sampling: Pick<RequestEnvelope['sampling'], 'n'>;
};

export class AnswerStream {
  readonly requestId: string;
  readonly #wantsStream: boolean;
  readonly #sink: GenerationSink;
  readonly #onSettled: (error?: unknown) => void;
  /** What waits of each answer. */
  readonly #pieces: readonly AnswerPiece[];
  /** The sink has taken a piece. */
  #handedOver = false;
  #summary: GenerationSummary | undefined;
  #awaitsCredit = false;
  #settled = false;

  /** @param onSettled called once, after the sink's `finish` (with nothing) or `fail` (with the error) */
  constructor(
    { requestId, wantsStream, sampling, constraint, keepsSpace }: AnsweredRequest,
    sink: GenerationSink,
    onSettled: (error?: unknown) => void,
  ) {
    this.requestId = requestId;
    this.#wantsStream = wantsStream;
    const spaceBefore = constraint?.spaceBefore ?? (keepsSpace ? 'none' : 'any');
    this.#pieces = Array.from({ length: sampling.n }, () => new AnswerPiece(spaceBefore));
    this.#sink = sink;
    this.#onSettled = onSettled;
  }

  get cancelled(): boolean {
    return this.#sink.cancelled;
  }

  /** True while a complete answer waits for its consumer. */
  get draining(): boolean {
    return this.#summary !== undefined && !this.#settled;
  }

  /** True once the sink has got its last call. */
  get settled(): boolean {
    return this.#settled;
  }

  /**
   * Adds a token of an answer and its text, and offers what has gathered. Ids wait with their text: a token whose text is
   * still held back goes out with the next text, or at the end. White space before the answer is dropped, unless it may be
   * a part of it: it belongs to the chat template ("Assistant:" and a space), whose tokenizer puts it into the answer's first
   * token.
   *
   * @param index which of the answers
   * @throws whatever the sink throws
   */
  write(index: number, text: string, token: ChosenToken | undefined): void {
    const piece = this.#pieces[index];
    piece?.add(text, token);
    if (piece?.hasText && (this.#wantsStream || !this.#handedOver)) this.#offer(piece, index);
  }

  /** The last token of the last answer has been written: `finish` follows as soon as all text is taken. */
  end(summary: GenerationSummary): void {
    this.#summary = summary;
    this.#drain();
  }

  fail(error: unknown): void {
    if (!this.#settled) this.#settle(() => this.#sink.fail(error), error);
  }

  /** Offers what waits of all answers; true when nothing is left. */
  #offerAll(): boolean {
    return this.#pieces.every((piece, index) => piece.isEmpty || this.#offer(piece, index));
  }

  /** True when it was taken. */
  #offer(piece: AnswerPiece, index: number): boolean {
    const { chunk } = piece;
    if (this.#sink.emit(this.#pieces.length === 1 ? chunk : { ...chunk, index })) {
      this.#handedOver = true;
      piece.clear();
      return true;
    }
    this.#awaitCredit();
    return false;
  }

  #drain(): void {
    const summary = this.#summary;
    if (this.#settled || summary === undefined || !this.#offerAll()) return;
    this.#settle(() => this.#sink.finish(summary));
  }

  #awaitCredit(): void {
    if (this.#awaitsCredit) return;
    this.#awaitsCredit = true;
    this.#sink.onReady(() => {
      this.#awaitsCredit = false;
      this.#resume();
    });
  }

  /** Credit is back, or the consumer has gone. It runs outside of any step: nothing may escape. */
  #resume(): void {
    // A cancelled request that still generates is dropped, and answered, by the engine's next sweep.
    if (this.#settled || (this.#sink.cancelled && this.#summary === undefined)) return;
    try {
      if (this.#sink.cancelled) this.fail(cancelled(this.requestId));
      else if (this.#summary === undefined) this.#offerAll();
      else this.#drain();
    } catch (error) {
      this.fail(error);
    }
  }

  #settle(tell: () => void, error?: unknown): void {
    this.#settled = true;
    for (const piece of this.#pieces) piece.clear();
    try {
      tell();
    } catch {
      // A sink that throws at its last call has nobody left to tell.
    }
    this.#onSettled(error);
  }
}
