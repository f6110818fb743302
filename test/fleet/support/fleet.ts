/** A fleet in this process: nodes and a gateway on real ports, over a NATS server of their own. */
import assert from 'node:assert/strict';
import { pino } from 'pino';
import { type ServeOptions, serve, type TroupeServer } from '../../../src/server/serve.ts';
import { PILOT_MODEL } from '../../support/pilot-model.ts';
import { type NatsServer, startNats } from './nats-server.ts';

export const SILENT = pino({ level: 'silent' });

export interface Fleet extends AsyncDisposable {
  readonly nats: NatsServer;
  readonly nodes: TroupeServer[];
  readonly gateway: TroupeServer;
  addNode(options?: ServeOptions): Promise<TroupeServer>;
}

export interface FleetOptions {
  readonly nodes?: number;
  /** Lines of NATS' configuration. */
  readonly natsConfig?: string;
  /** One that is there already, and stays. */
  readonly nats?: NatsServer;
  /** By which NATS is reached, where that matters. */
  readonly host?: string;
  /** `name:password` of each kind of member. */
  readonly users?: { readonly node: string; readonly gateway: string };
  readonly node?: ServeOptions;
  readonly gateway?: ServeOptions;
}

export async function startFleet(options: FleetOptions = {}): Promise<Fleet> {
  const nats = options.nats ?? (await startNats(options.natsConfig));
  const host = options.host ?? '127.0.0.1';
  const url = (user?: string) =>
    nats.url.replace('127.0.0.1', host).replace('://', user === undefined ? '://' : `://${user}@`);
  const nodes: TroupeServer[] = [];
  const addNode = async (more: ServeOptions = {}) => {
    const own = { servers: [url(options.users?.node)], node: `n${nodes.length}`, ...options.node?.nats };
    const node = await serve({ ...nodeOptions, ...options.node, ...more, nats: own });
    nodes.push(node);
    return node;
  };
  const close = async () => {
    await Promise.all(nodes.map((node) => node.close()));
    if (options.nats === undefined) await nats[Symbol.asyncDispose]();
  };
  try {
    for (let i = 0; i < (options.nodes ?? 2); i++) await addNode();
    const gateway = await serve({
      ...{ gateway: true, port: 0, drainMs: 0, logger: SILENT },
      ...options.gateway,
      nats: { servers: [url(options.users?.gateway)], ...options.gateway?.nats },
    });
    await until(() => gatewayNodes(gateway).length === nodes.length);
    const dispose = async () => {
      await gateway.close();
      await close();
    };
    return { ...{ nats, nodes, gateway, addNode }, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await close();
    throw error;
  }
}

const nodeOptions = {
  ...{ model: PILOT_MODEL, modelName: 'pilot', port: 0, drainMs: 0, logger: SILENT },
  pd: { count: 1 },
} as const;

/** Names of the nodes whose actors the gateway shows. */
export function gatewayNodes(gateway: TroupeServer): string[] {
  const actors = gateway.models.length === 0 ? [] : gateway.engine.health().actors;
  return [
    ...new Set(actors.filter(({ state }) => state === 'up').map(({ name }) => name.split('/')[0] ?? '')),
  ];
}

/** Asked again and again: what comes over the wire comes when it comes. */
export async function until(holds: () => boolean | Promise<boolean>, forMs = 20_000): Promise<void> {
  const end = performance.now() + forMs;
  while (!(await holds())) {
    assert(performance.now() < end, 'did not come to be');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Counters of a node's language model actor. */
export async function counted(node: TroupeServer, name: string): Promise<number> {
  const { actors } = await node.engine.stats();
  return actors.reduce((sum, { stats }) => sum + Number(stats?.[name] ?? 0), 0);
}
