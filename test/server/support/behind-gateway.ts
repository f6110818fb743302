/**
 * The server under test as a gateway before two nodes with a NATS server of their own: how the tests of the server are run
 * against a fleet (`npm run test:fleet`).
 */
import type { ServedEngine } from '../../../src/served-engine.ts';
import type { ServeOptions, TroupeServer } from '../../../src/server/serve.ts';
import { until } from '../../fleet/support/fleet.ts';
import { startNats } from '../../fleet/support/nats-server.ts';

/** Set to `gateway` by `npm run test:fleet`. */
export const VIA_GATEWAY = process.env.TROUPE_TEST_VIA === 'gateway';

/** Why a test is skipped there; false where it is not. */
export function notOfGateways(why: string): string | false {
  return VIA_GATEWAY && why;
}

const NODES = 2;

type Serve = (options: ServeOptions) => Promise<TroupeServer>;

const nodesOfGateways = new WeakMap<TroupeServer, readonly TroupeServer[]>();

/** The servers that have the engines: the server itself, or the nodes behind it. */
export function nodesOf(server: TroupeServer): readonly TroupeServer[] {
  return nodesOfGateways.get(server) ?? [server];
}

/** An actor of the engine, or of one of them, and how the server under test calls it. */
export function actorOf(
  server: TroupeServer,
  name: string,
): { readonly engine: ServedEngine; readonly shown: string } {
  const [node] = nodesOf(server);
  if (node === undefined) throw new RangeError('there is no node');
  const shown = server.engine.health().actors.map((actor) => actor.name);
  const own = shown.find(
    (each) => each === name || (each.startsWith(`${nameOfNode(0)}-`) && each.endsWith(`/${name}`)),
  );
  return { engine: node.engine, shown: own ?? name };
}

const nameOfNode = (index: number) => `n${index}`;

export interface Nodes extends AsyncDisposable {
  readonly url: string;
  readonly servers: readonly TroupeServer[];
}

/** Nodes of a fleet, and its NATS server. */
export async function startNodes(serve: Serve, options: ServeOptions): Promise<Nodes> {
  const { apiKeys: _, apiKeyFile: __, host: ___, http: ____, onProgress: _____, ...engine } = options;
  const nats = await startNats();
  const started = await Promise.allSettled(
    Array.from({ length: NODES }, (_, i) =>
      serve({ ...engine, port: 0, nats: { servers: [nats.url], node: nameOfNode(i) } }),
    ),
  );
  const servers = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const dispose = async () => {
    await Promise.all(servers.map((node) => node.close(0)));
    await nats[Symbol.asyncDispose]();
  };
  for (const one of started) {
    if (one.status === 'fulfilled') continue;
    await dispose();
    throw one.reason;
  }
  return { url: nats.url, servers, [Symbol.asyncDispose]: dispose };
}

/** @param options of the server under test: what is about HTTP is the gateway's, what is about the engine the nodes' */
export async function serveBehindGateway(serve: Serve, options: ServeOptions): Promise<TroupeServer> {
  const { model, models, modelName, modelKeepAliveMs, preloadModels, modelsMemoryBytes, ...common } = options;
  const nodes = await startNodes(serve, options);
  try {
    const gateway = await serve({ ...common, gateway: true, nats: { servers: [nodes.url] } });
    nodesOfGateways.set(gateway, nodes.servers);
    const close = gateway.close.bind(gateway);
    gateway.close = async (drainMs) => {
      const report = await close(drainMs);
      await nodes[Symbol.asyncDispose]();
      return report;
    };
    await until(async () => {
      const { nodes: known } = JSON.parse(await (await fetch(`${gateway.url}/health`)).text());
      return known.length === NODES;
    });
    return gateway;
  } catch (error) {
    await nodes[Symbol.asyncDispose]();
    throw error;
  }
}
