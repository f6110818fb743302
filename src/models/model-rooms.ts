/**
 * Many models, and memory for some of them. A model is loaded when somebody asks for it; when there is no room, the one
 * that was used least recently leaves, and never one with requests in flight. Who asks first is served first: a model that
 * has to leave takes no new requests, lets its own end, and those who come for it meanwhile wait for its return. So no
 * model can keep another out by being busy, and each return serves all who have gathered.
 */
import type { TroupeError } from '../../runtime/errors.ts';
import { Events } from '../../runtime/util/events.ts';
import { after } from '../../runtime/util/timers.ts';
import { noRoom, overBudget } from './model-errors.ts';
import { ModelSlot, type ModelSlotEvents, type ModelSource, type UnloadReason } from './model-slot.ts';

/** A loaded model, for as long as it is held. */
export interface ModelLease<Engine> {
  readonly engine: Engine;
  /** Safe to call twice. */
  release(): void;
}

export class ModelRooms<Engine> {
  readonly events = new Events<ModelSlotEvents<Engine>>();
  readonly #budgetBytes: number;
  readonly #slots = new Map<string, ModelSlot<Engine>>();
  readonly #closed = new AbortController();
  #tickets = 0;
  #working: Promise<void> | undefined;
  /** Called when something changed that room may come from. */
  #onChange: (() => void) | undefined;

  /** @param budgetBytes for all models that are in memory together */
  constructor(budgetBytes: number) {
    this.#budgetBytes = budgetBytes;
  }

  get budgetBytes(): number {
    return this.#budgetBytes;
  }

  /** Of the models in memory, as they are counted. */
  get usedBytes(): number {
    return [...this.#slots.values()].reduce((sum, { memoryBytes }) => sum + memoryBytes, 0);
  }

  get slots(): readonly ModelSlot<Engine>[] {
    return [...this.#slots.values()];
  }

  get(name: string): ModelSlot<Engine> | undefined {
    return this.#slots.get(name);
  }

  add(source: ModelSource<Engine>): ModelSlot<Engine> {
    const slot = new ModelSlot(source, this.events);
    this.#slots.set(source.name, slot);
    return slot;
  }

  /** Forgets a model that is not in memory and that nobody waits for. */
  remove(name: string): boolean {
    const slot = this.#slots.get(name);
    if (slot === undefined || slot.state !== 'absent' || slot.waiters.size > 0) return false;
    return this.#slots.delete(name);
  }

  /**
   * Resolves when the model is in memory; it stays there until the lease is given back.
   *
   * @param modest nobody has to leave for it: `MODEL_HAS_NO_ROOM` where somebody would
   * @throws what fetching and loading it throw; TroupeError `MODEL_OVER_BUDGET`; the signal's reason when it aborts before
   */
  async lease(name: string, signal: AbortSignal, modest = false): Promise<ModelLease<Engine>> {
    const slot = this.#slots.get(name);
    if (slot === undefined) throw new Error(`there is no model ${name}`);
    signal.throwIfAborted();
    this.#closed.signal.throwIfAborted();
    if (slot.state === 'loaded' && !slot.leaving && slot.engine !== undefined) {
      return this.#granted(slot, slot.engine);
    }
    return await new Promise((resolve, reject) => {
      const leave = () => {
        slot.waiters.delete(waiter);
        signal.removeEventListener('abort', onAbort);
      };
      const waiter = {
        ticket: this.#tickets++,
        modest,
        grant: (engine: Engine) => {
          leave();
          resolve(this.#granted(slot, engine));
        },
        refuse: (error: unknown) => {
          leave();
          reject(error);
        },
      };
      const onAbort = () => {
        waiter.refuse(signal.reason);
        this.#changed();
      };
      slot.waiters.add(waiter);
      signal.addEventListener('abort', onAbort, { once: true });
      this.#prepare(slot);
    });
  }

  /** Unloads everything, requests in flight or not; who waits is refused. */
  async close(reason: TroupeError): Promise<void> {
    this.#closed.abort(reason);
    for (const slot of this.#slots.values()) slot.refuseAll(reason);
    this.#changed();
    await this.#working;
    await Promise.all(
      this.slots.map((slot) => (slot.state === 'loaded' ? this.#unload(slot, 'closed') : slot.unloading)),
    );
  }

  #granted(slot: ModelSlot<Engine>, engine: Engine): ModelLease<Engine> {
    clearTimeout(slot.keepAlive);
    slot.inFlight += 1;
    slot.lastUsedMs = performance.now();
    let held = true;
    return {
      engine,
      release: () => {
        if (!held) return;
        held = false;
        slot.inFlight -= 1;
        slot.lastUsedMs = performance.now();
        if (slot.inFlight === 0) this.#startKeepAlive(slot);
        this.#changed();
      },
    };
  }

  /** Of each model on its own: fetching one keeps nobody from another. */
  #prepare(slot: ModelSlot<Engine>): void {
    if (slot.state !== 'absent') {
      this.#work();
      return;
    }
    slot.state = 'preparing';
    slot.source.prepare(this.#closed.signal).then(
      (needs) => {
        slot.needs = needs;
        slot.state = 'absent';
        if (needs.memoryBytes > this.#budgetBytes)
          slot.refuseAll(overBudget(slot.name, needs, this.#budgetBytes));
        this.#work();
      },
      (error: unknown) => {
        slot.state = 'absent';
        this.#failed(slot, error);
      },
    );
  }

  /** One load at a time: two together would each count on the memory of the other. */
  #work(): void {
    this.#changed();
    this.#working ??= this.#loadWanted().finally(() => {
      this.#working = undefined;
    });
  }

  async #loadWanted(): Promise<void> {
    for (let next = this.#nextWanted(); next !== undefined; next = this.#nextWanted()) {
      if (await this.#madeRoom(next)) await this.#load(next);
    }
    for (const slot of this.#slots.values()) this.#stay(slot); // nobody wants its room any more
  }

  /** Of those who are prepared and not here, the one somebody has waited for longest. */
  #nextWanted(): ModelSlot<Engine> | undefined {
    if (this.#closed.signal.aborted) return undefined;
    return this.slots
      .filter(({ state, needs, waiters }) => state === 'absent' && needs !== undefined && waiters.size > 0)
      .reduce<ModelSlot<Engine> | undefined>(
        (first, slot) => (first === undefined || slot.firstTicket < first.firstTicket ? slot : first),
        undefined,
      );
  }

  /** @returns false when nobody waits for it any more */
  async #madeRoom(next: ModelSlot<Engine>): Promise<boolean> {
    while (!this.#fits(next)) {
      if (next.waiters.size === 0 || this.#closed.signal.aborted) return false;
      if ([...next.waiters].every(({ modest }) => modest)) {
        next.refuseAll(noRoom(next.name));
        return false;
      }
      const [victim] = this.#victimsFor(next);
      if (victim === undefined) await this.#nextChange();
      else if (victim.inFlight === 0) await this.#unload(victim, 'room');
      else {
        victim.leaving = true;
        await this.#nextChange();
      }
    }
    // Room came from another: who was to leave stays.
    for (const slot of this.#slots.values()) this.#stay(slot);
    return next.waiters.size > 0;
  }

  #fits({ needs }: ModelSlot<Engine>): boolean {
    if (needs === undefined) return false;
    if (needs.gpu && this.slots.some((slot) => slot.isResident && slot.needs?.gpu === true)) return false;
    return this.usedBytes + needs.memoryBytes <= this.#budgetBytes;
  }

  /** Idle ones first, and of them the one that was used least recently. */
  #victimsFor({ needs }: ModelSlot<Engine>): readonly ModelSlot<Engine>[] {
    const isGpuTaken = this.slots.some((slot) => slot.isResident && slot.needs?.gpu === true);
    // Whoever else leaves, the GPU is not free then.
    const onlyGpu = needs?.gpu === true && isGpuTaken;
    return this.slots
      .filter((slot) => slot.state === 'loaded' && (!onlyGpu || slot.needs?.gpu === true))
      .sort((a, b) => Number(a.inFlight > 0) - Number(b.inFlight > 0) || a.lastUsedMs - b.lastUsedMs);
  }

  async #load(slot: ModelSlot<Engine>): Promise<void> {
    slot.state = 'loading';
    const startedMs = performance.now();
    try {
      const engine = await slot.source.load(this.#closed.signal);
      slot.engine = engine;
      slot.state = 'loaded';
      slot.lastUsedMs = performance.now();
      this.events.emit('loaded', { name: slot.name, engine, loadMs: slot.lastUsedMs - startedMs });
      for (const waiter of [...slot.waiters]) waiter.grant(engine);
      if (slot.inFlight === 0) this.#startKeepAlive(slot);
    } catch (error) {
      slot.state = 'absent';
      this.#failed(slot, error);
    }
  }

  #unload(slot: ModelSlot<Engine>, reason: UnloadReason): Promise<void> {
    const { engine } = slot;
    if (engine === undefined) return Promise.resolve();
    clearTimeout(slot.keepAlive);
    slot.state = 'unloading';
    slot.engine = undefined;
    slot.unloading = this.#unloaded(slot, engine, reason);
    return slot.unloading;
  }

  async #unloaded(slot: ModelSlot<Engine>, engine: Engine, reason: UnloadReason): Promise<void> {
    try {
      await slot.source.unload(engine);
    } catch (error) {
      this.events.emit('failed', { name: slot.name, error });
    }
    slot.state = 'absent';
    slot.leaving = false;
    slot.unloading = undefined;
    this.events.emit('unloaded', { name: slot.name, reason });
    // Those who have come meanwhile: its files may have changed.
    if (slot.waiters.size > 0) this.#prepare(slot);
    this.#changed();
  }

  #stay(slot: ModelSlot<Engine>): void {
    slot.leaving = false;
    const { engine, state } = slot;
    if (state === 'loaded' && engine !== undefined)
      for (const waiter of [...slot.waiters]) waiter.grant(engine);
  }

  #startKeepAlive(slot: ModelSlot<Engine>): void {
    clearTimeout(slot.keepAlive);
    if (slot.source.keepAliveMs === Number.POSITIVE_INFINITY) return;
    slot.keepAlive = after(slot.source.keepAliveMs, () => {
      if (slot.state === 'loaded' && slot.inFlight === 0) void this.#unload(slot, 'idle');
    }).unref();
  }

  #failed(slot: ModelSlot<Engine>, error: unknown): void {
    slot.refuseAll(error);
    if (!this.#closed.signal.aborted) this.events.emit('failed', { name: slot.name, error });
    this.#changed();
  }

  #changed(): void {
    this.#onChange?.();
  }

  async #nextChange(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#onChange = resolve;
    });
    this.#onChange = undefined;
  }
}
