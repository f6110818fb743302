/// <reference types="node" preserve="true" />
/**
 * `troupe/runtime`: the actor runtime on its own. Nothing here knows of models.
 *
 * Begin with {@link ActorSystem}, which spawns what {@link protocol}, {@link blueprint} and {@link defineActor} declare, and
 * gives an {@link ActorRef} to talk to it.
 *
 * Public: what this file exports. Everything else under `runtime/` may change without notice.
 *
 * @module troupe/runtime
 */
import './require-node.ts';

export type { ActorContext, ReportedLoad } from './actor/actor-context.ts';
export {
  type ActorDefinition,
  type ActorStats,
  type Behaviour,
  type CallContext,
  defineActor,
  type Handlers,
} from './actor/behaviour.ts';
export type { Step, StepLoop } from './actor/step-loop.ts';
export { type Blueprint, blueprint } from './blueprint.ts';
export type { LoadReading } from './board/load-board.ts';
export type { Priority } from './channel/priority.ts';
export type { DeadLetter, DeadLetterCause, DeadLetters } from './dead-letters.ts';
export {
  ActorError,
  type ActorErrorCode,
  type ErrorDetails,
  TroupeError,
  type TroupeErrorOptions,
} from './errors.ts';
export {
  type AskMethod,
  ask,
  type ChunkOf,
  type FinalOf,
  type Method,
  type MethodKind,
  type MethodNames,
  type Methods,
  type Protocol,
  protocol,
  type RequestOf,
  type ResponseOf,
  type StreamMethod,
  stream,
  type TellMethod,
  tell,
} from './protocol.ts';
export type { ActorRef, StreamOptions } from './ref/actor-ref.ts';
export type { CallOptions } from './ref/call-options.ts';
export type { WatchEvent } from './ref/members.ts';
export type { TellStatus } from './ref/ref-core.ts';
export type { RoutingPolicyName } from './routing/routing-policy.ts';
export type { StreamReader } from './stream/stream-reader.ts';
export type { StreamWriter } from './stream/stream-writer.ts';
export type { ChildState } from './supervision/child.ts';
export type { ActorStatus } from './supervision/group.ts';
export { DEFAULT_RESTART_POLICY, type RestartPolicy } from './supervision/restart-policy.ts';
export type { WatchdogOptions } from './supervision/watchdog.ts';
export {
  ActorSystem,
  type StopReport,
} from './system/actor-system.ts';
export type { ElasticOptions } from './system/elastic.ts';
export type { SharedCacheOptions, SharedMemoryOptions } from './system/shared-memory.ts';
export type { ActorEvent, SystemEvents } from './system/system-events.ts';
export type {
  ActorSystemOptions,
  DeclaredPool,
  MailboxOptions,
  SpawnOptions,
  ThreadOptions,
} from './system/system-options.ts';
export type { ArenaStats, SharedArena } from './tensors/arena.ts';
export { BufferPool, type BufferPoolOptions } from './tensors/buffer-pool.ts';
export type { SharedTensor } from './tensors/shared-tensor.ts';
export type { SharedTensorCache, TensorCacheStats } from './tensors/tensor-cache.ts';
export type { TensorType, TensorViews } from './tensors/tensor-type.ts';
export { inNative, stillWorking, workingOn } from './thread/this-thread.ts';
export { Events } from './util/events.ts';
export { type ErrorClass, registerErrorClass } from './wire/error-codec.ts';
export { transfer } from './wire/moved.ts';
