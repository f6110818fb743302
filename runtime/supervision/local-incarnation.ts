/** A life of an actor on the system's own thread: for light work, and for tests that force an interleaving. */
import { ActorCell, type AnyActor, type CellParts } from '../actor/actor-cell.ts';
import type { ActorStats } from '../actor/behaviour.ts';
import { UnderWay } from '../channel/under-way.ts';
import { ActorError, didNotStop, diedError } from '../errors.ts';
import type { ChannelToken } from '../wire/messages.ts';
import type { Exit, Incarnation, Waiting } from './incarnation.ts';

export class LocalIncarnation implements Incarnation {
  readonly holder: number;
  readonly boardSlot: number;
  readonly underWay = new UnderWay();
  readonly threadId = undefined;
  readonly begun = Promise.resolve();
  readonly exited: Promise<Exit>;
  readonly quiet: Promise<void>;
  readonly ended: Promise<void>;
  readonly #actor: AnyActor;
  readonly #args: unknown;
  readonly #parts: CellParts;
  readonly #exit = Promise.withResolvers<Exit>();
  readonly #quiet = Promise.withResolvers<void>();
  #cell: ActorCell | undefined;

  constructor(actor: AnyActor, args: unknown, boardSlot: number, parts: Omit<CellParts, 'crash'>) {
    this.holder = parts.holder;
    this.boardSlot = boardSlot;
    this.exited = this.#exit.promise;
    this.ended = this.exited.then(() => {});
    this.quiet = this.#quiet.promise;
    this.#actor = actor;
    this.#args = args;
    this.#parts = { ...parts, crash: (error) => this.#crash(error) };
  }

  async start(): Promise<void> {
    this.#cell = await ActorCell.start(
      this.#actor,
      { payload: this.#args, travellers: undefined },
      this.#parts,
    );
  }

  connect(token: ChannelToken): void {
    this.#started().connect(token);
  }

  async stats(): Promise<ActorStats> {
    return this.#started().stats();
  }

  async control(operation: string): Promise<unknown> {
    return await this.#started().control(operation);
  }

  async retire(): Promise<unknown> {
    return await this.#started().retire();
  }

  /** It has no thread, but is over when its turn has come, as those that have one. */
  async stop(waiting: Waiting, mayEnd?: Promise<void>): Promise<void> {
    await this.#cell?.stop(waiting);
    this.#quiet.resolve();
    await mayEnd;
    this.#exit.resolve({ kind: 'stopped' });
  }

  abandon(): void {
    this.#cell?.abandon(diedError(this.#parts.name, didNotStop()));
  }

  /** It shares the system's streams, which are told themselves. */
  otherOver(): void {}

  crash(reason: string): void {
    this.#crash(new Error(reason));
  }

  /** What the death of a thread does to its ports, done by hand. */
  #crash(cause: unknown): void {
    const error = diedError(this.#parts.name, cause);
    this.#cell?.abandon(error);
    this.#exit.resolve({ kind: 'crashed', error });
    this.#quiet.resolve();
  }

  #started(): ActorCell {
    if (this.#cell !== undefined) return this.#cell;
    throw new ActorError(`${this.#parts.name} has not started`, { code: 'PROTOCOL_VIOLATION' });
  }
}
