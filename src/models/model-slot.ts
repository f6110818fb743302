/** A model that a server has: loaded or not, by whom it is used, who waits for it. */
import type { Events } from '../../runtime/util/events.ts';

/**
 * `absent`: not in memory. `preparing`: its files are fetched and looked at. `loading`, `unloading`: on its way in or out.
 */
export type ModelState = 'absent' | 'preparing' | 'loading' | 'loaded' | 'unloading';

/** Why a model was unloaded. */
export type UnloadReason = 'idle' | 'room' | 'closed';

/** What it takes to have a model in memory. */
export interface ModelNeeds {
  /** Bytes that it is counted at. */
  readonly memoryBytes: number;
  /** It runs on the GPU, which one model at a time can have. */
  readonly gpu: boolean;
}

/** How a model gets into memory and out of it. */
export interface ModelSource<Engine> {
  readonly name: string;
  /** Milliseconds without a request after which it is unloaded; Infinity: never for that reason. */
  readonly keepAliveMs: number;
  /** Called before each load, beside the service of other models: it may fetch files. */
  prepare(signal: AbortSignal): Promise<ModelNeeds>;
  load(signal: AbortSignal): Promise<Engine>;
  unload(engine: Engine): Promise<void>;
}

export interface Waiter<Engine> {
  /** Order of arrival, over all models. */
  readonly ticket: number;
  /** Nobody has to leave for it. */
  readonly modest: boolean;
  grant(engine: Engine): void;
  refuse(error: unknown): void;
}

export interface ModelSlotEvents<Engine> {
  loaded: [{ readonly name: string; readonly engine: Engine; readonly loadMs: number }];
  unloaded: [{ readonly name: string; readonly reason: UnloadReason }];
  failed: [{ readonly name: string; readonly error: unknown }];
}

export class ModelSlot<Engine> {
  readonly source: ModelSource<Engine>;
  readonly waiters = new Set<Waiter<Engine>>();
  readonly events: Events<ModelSlotEvents<Engine>>;
  state: ModelState = 'absent';
  engine: Engine | undefined;
  needs: ModelNeeds | undefined;
  inFlight = 0;
  /** No more requests until it has made room for another. */
  leaving = false;
  lastUsedMs = 0;
  keepAlive: NodeJS.Timeout | undefined;
  unloading: Promise<void> | undefined;

  constructor(source: ModelSource<Engine>, events: Events<ModelSlotEvents<Engine>>) {
    this.source = source;
    this.events = events;
  }

  get name(): string {
    return this.source.name;
  }

  /** It is in memory, or on its way. */
  get isResident(): boolean {
    return this.state === 'loading' || this.state === 'loaded' || this.state === 'unloading';
  }

  get memoryBytes(): number {
    return this.isResident ? (this.needs?.memoryBytes ?? 0) : 0;
  }

  /** The first who came of those who wait. */
  get firstTicket(): number {
    return Math.min(...[...this.waiters].map(({ ticket }) => ticket));
  }

  refuseAll(error: unknown): void {
    for (const waiter of [...this.waiters]) waiter.refuse(error);
  }
}
