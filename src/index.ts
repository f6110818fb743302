/// <reference types="node" preserve="true" />
/**
 * `troupe`: vision-language models inside one Node process.
 *
 * Begin with {@link Troupe}: `Troupe.start` takes {@link StartOptions}, `chat` and `stream` take {@link ChatOptions} and give
 * {@link ChatResult}. What fails is a {@link TroupeError}; {@link InputError} says what to change.
 *
 * Public: what this file exports, `troupe/runtime` and `troupe/server`. Everything else may change without notice.
 *
 * @module troupe
 */
import '../runtime/require-node.ts';

export type {
  ChoiceConstraint,
  ConstrainedTag,
  Constraint,
  EitherConstraint,
  GrammarConstraint,
  JsonObjectConstraint,
  JsonSchema,
  JsonSchemaConstraint,
  RegexConstraint,
  SingleConstraint,
  TaggedConstraint,
} from '../actors/constraint/constraint.ts';
export { InputError, type InputErrorFacts, ModelError } from '../actors/errors.ts';
export type {
  AssistantMessage,
  FinishReason,
  SamplingOptions,
  SpokenMessage,
  StageSpan,
  TextPart,
  TokenChunk,
  TokenLogprob,
  ToolMessage,
  TopLogprob,
  Usage,
} from '../actors/generation.ts';
export { DEVICES, type Device, type DeviceChoice, type GpuDevice } from '../actors/inference/gpu/device.ts';
export type { GpuStats } from '../actors/inference/gpu/gpu-stats.ts';
export type { FileChange } from '../actors/model/file-stamps.ts';
export type { ModelGeometry, SeesAhead } from '../actors/model/geometry.ts';
export type { Dtype, GraphRole } from '../actors/model/graph-files.ts';
export type { Encoding, LoadedGraph } from '../actors/model/model-directory.ts';
export type { TensorSignature } from '../actors/model/onnx/graph-signature.ts';
export type { RewrittenAttention } from '../actors/model/rewrite/rewrite-decoder.ts';
export type { ToolStyle } from '../actors/tools/tool-style.ts';
export type {
  AllowedTools,
  NamedTool,
  ToolCall,
  ToolCallDelta,
  ToolChoice,
  ToolDefinition,
  ToolOptions,
} from '../actors/tools/tool-types.ts';
export type { ActorStats } from '../runtime/actor/behaviour.ts';
export type { LoadReading } from '../runtime/board/load-board.ts';
export type { DeadLetter } from '../runtime/dead-letters.ts';
export {
  ActorError,
  type ActorErrorCode,
  type ErrorDetails,
  TroupeError,
  type TroupeErrorOptions,
} from '../runtime/errors.ts';
export type { ChildState } from '../runtime/supervision/child.ts';
export type { ActorStatus } from '../runtime/supervision/group.ts';
export type { StopReport } from '../runtime/system/actor-system.ts';
export type { ActorEvent, SystemEvents } from '../runtime/system/system-events.ts';
export type { ArenaStats } from '../runtime/tensors/arena.ts';
export type { TensorCacheStats } from '../runtime/tensors/tensor-cache.ts';
export type { Events } from '../runtime/util/events.ts';
export type { BlobLike } from '../runtime/util/realms.ts';
export {
  type BytesBetweenActors,
  type ChatChoice,
  type ChatDelta,
  type ChatMessage,
  type ChatOptions,
  type ChatResult,
  type ChatStream,
  type ChatTimings,
  type ContentPart,
  type ImageInput,
  type ImagePart,
  MODES,
  type Mode,
} from './chat-types.ts';
export type { KvPlan } from './config/kv-plan.ts';
export type { ImageOptions, PoolOptions, TroupeOptions } from './config/options.ts';
export type { GraphSharing, MapWeights, WeightSharing } from './config/weight-sharing.ts';
export { DEFAULT_MODEL_DIRECTORY } from './default-model.ts';
export type { ActorLoad, EngineHealth, EngineStats } from './engine-stats.ts';
export { type CachedModel, listModels } from './hub/cached-models.ts';
export type { DownloadProgress } from './hub/download-progress.ts';
export { type PulledModel, type PullOptions, pullModel } from './hub/pull-model.ts';
export { type RemovedModel, removeModel } from './hub/remove-model.ts';
export type { InspectedDevices, InspectedProvider } from './inspect/inspect-devices.ts';
export {
  type ActivationScales,
  type InspectedDecoder,
  type InspectedGraph,
  type InspectedMode,
  type InspectReport,
  inspectModel,
} from './inspect/inspect-model.ts';
export type { AnySchema, SchemaOutput, TypedSchema } from './schema/any-schema.ts';
export type {
  ObjectChoice,
  ObjectOf,
  ObjectOptions,
  ObjectResult,
  ObjectStream,
} from './schema/object-result.ts';
export { type Tool, toolArguments } from './schema/tool-arguments.ts';
export type { SharedWeights } from './share-weights.ts';
export type { StartOptions, StartProgress, StopOptions } from './start-options.ts';
export {
  type ClearedCaches,
  Troupe,
} from './troupe.ts';
export type { RequestEvent, TroupeEvents } from './troupe-events.ts';
