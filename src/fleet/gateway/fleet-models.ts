/** The models of a gateway: those that the nodes of its fleet say they have. */
import type { Logger } from 'pino';
import type { TroupeError } from '../../../runtime/errors.ts';
import type { StopReport } from '../../../runtime/system/actor-system.ts';
import { Events } from '../../../runtime/util/events.ts';
import type { ModelLease } from '../../models/model-rooms.ts';
import { ModelSlot, type ModelSlotEvents } from '../../models/model-slot.ts';
import type { ServedEngine } from '../../served-engine.ts';
import { FairQueue } from '../../server/fair-queue.ts';
import type { Models, NodeStatus, ServedModel, ServedModelStatus } from '../../server/models/served-model.ts';
import type { ServerConfig } from '../../server/server-config.ts';
import type { StartProgress } from '../../start-options.ts';
import { FleetConnection } from '../connection.ts';
import { noNode } from '../fleet-errors.ts';
import { GatewayLink } from './gateway-link.ts';
import { modelOf } from './node-table.ts';
import { RemoteEngine } from './remote-engine.ts';

/** Names that nodes bring. */
const MOST_MODELS = 256;

export class FleetModels implements Models {
  readonly events = new Events<ModelSlotEvents<ServedEngine>>();
  readonly #config: ServerConfig;
  readonly #log: Logger;
  readonly #models = new Map<string, ServedModel>();
  /** Before any node has said what it has. */
  readonly #unknown: ServedModel;
  #link: GatewayLink | undefined;
  /** Requests that were given to another node, by why. */
  readonly moves = new Map<string, number>();

  constructor(config: ServerConfig, log: Logger) {
    this.#config = config;
    this.#log = log;
    this.#unknown = this.#newModel(config.models[0].name);
  }

  get first(): ServedModel {
    const [first] = this.#models.values();
    return first ?? this.#unknown;
  }

  get all(): readonly ServedModel[] {
    return [...this.#models.values()];
  }

  /** Nodes with other models may come at any time. */
  get only(): undefined {
    return undefined;
  }

  get names(): readonly string[] {
    return [...this.#models.keys()];
  }

  get longestContext(): number {
    const lengths = this.all.map(({ contextLength }) => contextLength ?? Number.POSITIVE_INFINITY);
    return lengths.length === 0 ? Number.POSITIVE_INFINITY : Math.max(...lengths);
  }

  get usedBytes(): number {
    return 0;
  }

  get engines(): readonly { readonly name: string; readonly engine: ServedEngine }[] {
    return this.all.flatMap(({ slot: { name, engine } }) => (engine === undefined ? [] : [{ name, engine }]));
  }

  get status(): readonly ServedModelStatus[] {
    return this.all.map(({ config: { name }, queue, slot }) => ({
      ...{ name, model: name, state: slot.state },
      ...{ running: queue.used, waiting: queue.waiting, memoryBytes: 0 },
    }));
  }

  get nodes(): readonly NodeStatus[] {
    const nodes = this.#link?.nodes;
    return (nodes?.all ?? []).map((node) => {
      const { models } = node.announcement;
      return {
        node: node.id,
        state: nodes?.stateOf(node) ?? 'silent',
        models: models.map(({ name }) => name),
        running: models.reduce((sum, { running }) => sum + running, 0),
        waiting: models.reduce((sum, { waiting }) => sum + waiting, 0),
      };
    });
  }

  get(name: string): ServedModel | undefined {
    return this.#models.get(name);
  }

  named(name: string): ServedModel {
    const model = this.#models.get(name);
    if (model === undefined) throw noNode(name);
    return model;
  }

  lease({ config, slot }: ServedModel, signal: AbortSignal): Promise<ModelLease<ServedEngine>> {
    if (signal.aborted) return Promise.reject(signal.reason);
    const { engine } = slot;
    if (engine === undefined) return Promise.reject(noNode(config.name));
    return Promise.resolve({ engine, release: () => undefined });
  }

  /**
   * Resolves when there is a node.
   * @throws TroupeError `FLEET_UNREACHABLE`; the signal's reason when it aborts before
   */
  async start(
    onProgress: ((progress: StartProgress) => void) | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const { nats } = this.#config;
    const connection = await FleetConnection.open(nats, 'troupe gateway', this.#log);
    const link = new GatewayLink(connection, nats.fleet, this.#log);
    this.#link = link;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    link.nodes.events.on('changed', () => {
      this.#look(link);
      if (this.engines.some(({ engine }) => engine.health().ready)) resolve();
    });
    link.nodes.events.on('came', ({ id }) => this.#log.info({ node: id }, 'node came'));
    link.nodes.events.on('went', ({ id }) => this.#log.info({ node: id }, 'node went'));
    onProgress?.({ phase: 'starting', message: 'waiting for a node' });
    this.#log.info({ gateway: link.id, fleet: nats.fleet }, 'waiting for a node');
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await promise;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  ended(): void {
    // Nothing of it is in memory here.
  }

  async close(reason: TroupeError): Promise<StopReport> {
    for (const { queue } of this.all) queue.refuseAll(reason);
    for (const { engine } of this.engines) await engine.stop();
    await this.#link?.close();
    return { quarantined: [] };
  }

  /** What the nodes have now: models that are new, and as many places as the nodes have together. */
  #look(link: GatewayLink): void {
    const places = new Map<string, number>();
    for (const node of link.nodes.all) {
      for (const model of node.announcement.models) {
        const mine = link.nodes.stateOf(node) === 'up' ? model.places : 0;
        places.set(model.name, (places.get(model.name) ?? 0) + mine);
        if (!this.#models.has(model.name)) this.#add(link, model.name);
      }
    }
    for (const [name, { queue }] of this.#models) {
      queue.resize(Math.max(1, this.#bounded(places.get(name) ?? 0)));
      const served = this.#models.get(name);
      if (served !== undefined) served.slot.state = link.nodes.serving(name).length > 0 ? 'loaded' : 'absent';
    }
  }

  /** A gateway may be told to have fewer requests at its nodes at once than they take. */
  #bounded(places: number): number {
    return Math.min(places, this.#config.queue.maxInFlight ?? Number.POSITIVE_INFINITY);
  }

  #add(link: GatewayLink, name: string): void {
    if (this.#models.size >= MOST_MODELS) return;
    const { requestTimeoutMs, images, limits } = this.#config.resolved;
    const model = this.#newModel(name, link);
    const engine = new RemoteEngine({
      ...{ link, model: name, requestTimeoutMs },
      images: { policy: images, maxBytes: limits.maxImageBytes },
      onMove: (node, tokens, error) => {
        this.moves.set(error.code, (this.moves.get(error.code) ?? 0) + 1);
        this.#log.warn({ node, tokens, code: error.code }, 'request given to another node');
      },
    });
    model.slot.engine = engine;
    this.#models.set(name, model);
    this.events.emit('loaded', { name, engine, loadMs: 0 });
  }

  #newModel(name: string, link?: GatewayLink): ServedModel {
    const { models, queue } = this.#config;
    const [{ engine, resolved }] = models;
    const mostPlaces = (sum: number) => this.#bounded(sum);
    const announced = () => link?.nodes.all.flatMap((node) => modelOf(node, name) ?? []) ?? [];
    const [said] = announced();
    const source = {
      name,
      keepAliveMs: Number.POSITIVE_INFINITY,
      prepare: () => Promise.reject(noNode(name)),
      load: () => Promise.reject(noNode(name)),
      unload: () => Promise.resolve(),
    };
    return {
      config: {
        ...{ name, engine, own: {}, keepAliveMs: Number.POSITIVE_INFINITY, preload: false, counted: false },
        resolved: { ...resolved, model: name, mode: said?.mode ?? resolved.mode },
        memoryBytes: undefined,
        get maxInFlight() {
          return mostPlaces(announced().reduce((sum, { places }) => sum + places, 0));
        },
      },
      queue: new FairQueue({ places: 1, waiting: queue.maxQueued }),
      slot: new ModelSlot(source, this.events),
      get contextLength() {
        const lengths = announced().flatMap(({ contextLength }) => contextLength ?? []);
        return lengths.length === 0 ? undefined : Math.min(...lengths);
      },
    };
  }
}
