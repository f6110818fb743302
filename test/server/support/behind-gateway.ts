/**
 * The server under test as a gateway before two nodes, all in this process, with a NATS server of its own: how the tests of
 * the server are run against a fleet (`npm run test:fleet`).
 */
import type { ServeOptions, TroupeServer } from '../../../src/server/serve.ts';
import { startNats } from '../../fleet/support/nats-server.ts';

/** Set to `gateway` by `npm run test:fleet`. */
export const VIA_GATEWAY = process.env.TROUPE_TEST_VIA === 'gateway';

const NODES = 2;

type Serve = (options: ServeOptions) => Promise<TroupeServer>;

/** @param options of the server under test: what is about HTTP is the gateway's, what is about the engine the nodes' */
export async function serveBehindGateway(serve: Serve, options: ServeOptions): Promise<TroupeServer> {
  const server = await startNats();
  const nats = { servers: [server.url] };
  const { model, models, modelName, modelKeepAliveMs, preloadModels, modelsMemoryBytes, ...common } = options;
  const { apiKeys: _, apiKeyFile: __, host: ___, http: ____, onProgress: _____, ...engine } = options;
  const nodes = await Promise.all(
    Array.from({ length: NODES }, (_, i) => serve({ ...engine, port: 0, nats: { ...nats, node: `n${i}` } })),
  );
  const gateway = await serve({ ...common, gateway: true, nats });
  const close = gateway.close.bind(gateway);
  gateway.close = async (drainMs) => {
    const report = await close(drainMs);
    await Promise.all(nodes.map((node) => node.close(0)));
    await server[Symbol.asyncDispose]();
    return report;
  };
  return gateway;
}
