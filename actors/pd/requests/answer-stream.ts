/**
 * The way of one answer to its sink. Text that the consumer has no credit for waits here and is merged with what
 * follows, so a slow consumer delays nobody else in the batch and costs one string, not a queue. So does all but the
 * first piece of an answer that is wanted whole: nobody reads it before, and every piece wakes the caller's thread.
 *
 *     open ──end()──▶ draining ──all text taken──▶ settled
 *       └────────fail()────┴──────────────────────▶ settled
 */
import type { GenerationSummary, RequestEnvelope } from '../../generation.ts';
import { cancelled } from '../engine-errors.ts';
import type { GenerationSink } from './generation-sink.ts';

export class AnswerStream {
  readonly requestId: string;
  readonly #wantsStream: boolean;
  readonly #sink: GenerationSink;
  readonly #onSettled: (error?: unknown) => void;
  #text = '';
  /** Text other than white space has come. */
  #begun = false;
  /** The sink has taken a piece. */
  #handedOver = false;
  #tokenIds: number[] = [];
  #summary: GenerationSummary | undefined;
  #awaitsCredit = false;
  #settled = false;

  /** @param onSettled called once, after the sink's `finish` (with nothing) or `fail` (with the error) */
  constructor(
    { requestId, wantsStream }: Pick<RequestEnvelope, 'requestId' | 'wantsStream'>,
    sink: GenerationSink,
    onSettled: (error?: unknown) => void,
  ) {
    this.requestId = requestId;
    this.#wantsStream = wantsStream;
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
   * Adds a token and its text, and offers what has gathered. Ids wait with their text: a token whose text is still
   * held back goes out with the next text, or at the end. White space before the answer is dropped: it belongs to
   * the chat template ("Assistant:" and a space), whose tokenizer puts it into the answer's first token.
   *
   * @throws whatever the sink throws
   */
  write(text: string, tokenId: number | undefined): void {
    this.#text += this.#begun ? text : text.trimStart();
    this.#begun ||= this.#text !== '';
    if (tokenId !== undefined) this.#tokenIds.push(tokenId);
    if (this.#text !== '' && (this.#wantsStream || !this.#handedOver)) this.#offer();
  }

  /** The last token has been written: `finish` follows as soon as all text is taken. */
  end(summary: GenerationSummary): void {
    this.#summary = summary;
    this.#drain();
  }

  fail(error: unknown): void {
    if (!this.#settled) this.#settle(() => this.#sink.fail(error), error);
  }

  /** Offers the text; true when nothing is left. */
  #offer(): boolean {
    if (this.#text === '' && this.#tokenIds.length === 0) return true;
    if (this.#sink.emit({ text: this.#text, tokenIds: this.#tokenIds })) {
      this.#handedOver = true;
      this.#text = '';
      this.#tokenIds = [];
      return true;
    }
    this.#awaitCredit();
    return false;
  }

  #drain(): void {
    const summary = this.#summary;
    if (this.#settled || summary === undefined || !this.#offer()) return;
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
      else if (this.#summary === undefined) this.#offer();
      else this.#drain();
    } catch (error) {
      this.fail(error);
    }
  }

  #settle(tell: () => void, error?: unknown): void {
    this.#settled = true;
    this.#text = '';
    this.#tokenIds = [];
    try {
      tell();
    } catch {
      // A sink that throws at its last call has nobody left to tell.
    }
    this.#onSettled(error);
  }
}
