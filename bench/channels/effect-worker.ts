import { NodeWorkerRunner } from '@effect/platform-node';
import { Effect, Layer } from 'effect';
import { RpcServer } from 'effect/rpc';
import { echoes } from './effect-rpc.ts';

const handlers = echoes.toLayer({ echo: (message) => Effect.succeed(message) });

Effect.runFork(
  RpcServer.layer(echoes, { disableTracing: true }).pipe(
    Layer.provide(handlers),
    Layer.provide(RpcServer.layerProtocolWorkerRunner),
    Layer.provide(NodeWorkerRunner.layer),
    Layer.launch,
  ),
);
