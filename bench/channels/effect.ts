/** Effect's RPC over one worker thread, without tracing: schemas on both ends, interruption, failures as they were declared. */
import { Worker } from 'node:worker_threads';
import { NodeWorker } from '@effect/platform-node';
import { Effect, Exit, Layer, Scope } from 'effect';
import { RpcClient } from 'effect/rpc';
import type { EchoChannel } from './channel.ts';
import { echoes } from './effect-rpc.ts';

/** Of calls in flight; by default the worker takes one. */
const CONCURRENCY = 1_000;

export async function openEffect(): Promise<EchoChannel> {
  const spawn = () => new Worker(new URL('./effect-worker.ts', import.meta.url));
  const protocol = RpcClient.layerProtocolWorker({ size: 1, concurrency: CONCURRENCY }).pipe(
    Layer.provide(NodeWorker.layer(spawn)),
  );
  const scope = Effect.runSync(Scope.make());
  const client = await Effect.runPromise(
    Effect.gen(function* () {
      const services = yield* Layer.buildWithScope(protocol, scope);
      return yield* RpcClient.make(echoes, { disableTracing: true }).pipe(
        Effect.provide(services),
        Scope.provide(scope),
      );
    }),
  );
  return {
    name: 'Effect RPC',
    echo: (message) => Effect.runPromise(client.echo(message)),
    close: () => Effect.runPromise(Scope.close(scope, Exit.void)),
  };
}
