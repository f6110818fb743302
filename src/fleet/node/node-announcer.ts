/** What a node says of itself, as of now. */
import { EMBEDDING_CACHE } from '../../../actors/protocols.ts';
import { quietPause } from '../../../runtime/util/timers.ts';
import type { ServedModel } from '../../server/models/served-model.ts';
import type { ServerState } from '../../server/server-state.ts';
import { type AnnouncedModel, type Announcement, PROTOCOL } from '../wire/messages.ts';
import type { HeldKeys } from './held-keys.ts';

type Images = NonNullable<AnnouncedModel['images']>;

/** How often the actors are asked what they count, ms: they answer between two steps. */
const STATS_MS = 2_000;

export class NodeAnnouncer {
  readonly #state: ServerState;
  readonly #node: string;
  readonly #keys: HeldKeys;
  readonly #images = new Map<string, Images>();
  readonly #waitingTokens: (model: string) => number;
  #asking = false;

  constructor(state: ServerState, node: string, keys: HeldKeys, waitingTokens: (model: string) => number) {
    this.#state = state;
    this.#node = node;
    this.#keys = keys;
    this.#waitingTokens = waitingTokens;
  }

  /** @param everything also what was said before, for those who are new */
  announcement({ everything = false, gone = false } = {}): Announcement {
    const changed = this.#keys.takeChanges();
    const keys = everything ? this.#keys.all : changed;
    return {
      protocol: PROTOCOL,
      node: this.#node,
      draining: this.#state.phase !== 'ready',
      gone,
      clock: Date.now(),
      models: this.#state.models.all.map((model) => this.#model(model)),
      ...(keys !== undefined && { keys: [...keys] }),
    };
  }

  /** Asks the engines what they count, if the last answer has come. */
  async look(): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    try {
      let entries = 0;
      for (const { name, engine } of this.#state.models.engines) {
        const { caches } = await engine.stats();
        const cache = caches.find((one) => one.name === EMBEDDING_CACHE);
        if (cache === undefined) continue;
        entries += cache.entries;
        this.#images.set(name, { hits: cache.hits, queries: cache.hits + cache.misses });
      }
      this.#keys.imageEntries = Math.max(entries, 1);
      await quietPause(STATS_MS);
    } catch {
      // An engine that is on its way out; the next look tells.
    } finally {
      this.#asking = false;
    }
  }

  #model({ config, queue, slot, contextLength }: ServedModel): AnnouncedModel {
    const health = slot.engine?.health();
    const images = this.#images.get(config.name);
    return {
      name: config.name,
      mode: config.resolved.mode,
      ...(contextLength !== undefined && { contextLength }),
      // One that is not in memory is loaded when it is asked for.
      ready: health?.ready ?? slot.state === 'absent',
      places: config.maxInFlight,
      running: queue.used,
      waiting: queue.waiting,
      waitingTokens: this.#waitingTokens(config.name),
      actors: (health?.actors ?? []).slice(0, 256).map(({ name, state, restarts, load }) => ({
        name,
        state,
        restarts,
        ...(load !== undefined && { load }),
      })),
      ...(images !== undefined && { images }),
    };
  }
}
