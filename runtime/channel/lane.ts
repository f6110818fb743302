/**
 * What a client has sent to one incarnation of an actor with one priority: what of it has not started, and which tells have
 * started and not ended. Both are known from shared memory, which whoever looks at has to fetch from another core.
 */
import { FifoQueue } from '../util/fifo-queue.ts';
import { cellsOf, FlowSender, type FlowWindow } from './flow-control.ts';
import type { Outbound } from './outbound.ts';
import type { Priority } from './priority.ts';
import { BegunTells } from './tells-under-way.ts';

/** To look costs as much as to send; so that is done for so many messages at once, or for one that holds much memory. */
const FORGOTTEN_AT_ONCE = 64;
const LARGE_BYTES = 16 * 1024;

export class Lane<Message extends Outbound> {
  readonly #flow: FlowSender;
  /** Sent and, as far as was last looked, not started. */
  readonly #unstarted = new FifoQueue<Message>();
  readonly #tells: BegunTells;
  /** Sent since it was last looked at what has started. */
  #unseen = 0;

  constructor(cells: SharedArrayBuffer, window: FlowWindow, priority: Priority) {
    this.#flow = new FlowSender(cells, window, priority);
    this.#tells = new BegunTells(cellsOf(cells, priority));
  }

  /** Messages that lie in the actor's mailbox. */
  get backlog(): number {
    return this.#flow.unstarted;
  }

  /** Methods of tells that were under way when that was last looked at. */
  get tells(): Iterable<string> {
    return this.#tells.methods;
  }

  /** The actor has made a table for those. */
  addTable(table: SharedArrayBuffer): void {
    this.#tells.addTable(table);
  }

  /** Whether a message of so many bytes may be sent now; if not, the actor will send a `credit` when it may. */
  hasCredit(bytes: number): boolean {
    if (this.#flow.hasCredit(bytes)) return true;
    this.#flow.requestCredit();
    return this.#flow.hasCredit(bytes);
  }

  /** Whether tells lie in the mailbox or are under way. */
  holdsTells(): boolean {
    this.forgetStarted();
    if (this.#tells.size > 0) return true;
    for (const { kind } of this.#unstarted) if (kind === 'tell') return true;
    return false;
  }

  /** To be called before a message is posted. */
  makeRoom(): void {
    if (this.#unseen >= FORGOTTEN_AT_ONCE) this.forgetStarted();
  }

  posted(message: Message): void {
    this.#flow.spend(message.bytes);
    this.#unstarted.push(message);
    this.#unseen += message.bytes > LARGE_BYTES ? FORGOTTEN_AT_ONCE : 1;
  }

  forgetStarted(): void {
    this.#unseen = 0;
    const unstarted = this.#flow.unstarted;
    if (this.#unstarted.size === unstarted && this.#tells.size === 0) return;
    this.#tells.look();
    while (this.#unstarted.size > unstarted) {
      const number = this.#flow.sent - this.#unstarted.size;
      const started = this.#unstarted.shift();
      if (started?.kind === 'tell') this.#tells.note(number, started.method);
    }
  }

  /** The one of this number, as long as it has not started. */
  find(number: number): Message | undefined {
    for (const message of this.#unstarted) if (message.number === number) return message;
    return undefined;
  }

  /** The actor is gone: takes out what it had not started, in order. */
  takeUnstarted(): readonly Message[] {
    this.forgetStarted();
    return this.#unstarted.drain();
  }
}
