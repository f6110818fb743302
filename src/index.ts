/**
 * `troupe`: vision-language models inside one Node process.
 *
 * Public: what this file exports, and `troupe/runtime`. Everything else may change without notice.
 */
import '../runtime/require-node.ts';

export { InputError, ModelError } from '../actors/errors.ts';
export type {
  ChatMessage,
  ContentPart,
  FinishReason,
  ImagePart,
  ImageSource,
  SamplingOptions,
  StageSpan,
  TextPart,
  Usage,
} from '../actors/generation.ts';
export type { Device, DeviceChoice } from '../actors/gpu/device.ts';
export type { GpuStats } from '../actors/gpu/gpu-memory.ts';
export { ActorError, TroupeError } from '../runtime/errors.ts';
export type { StopReport } from '../runtime/system/actor-system.ts';
export {
  type BytesBetweenActors,
  type ChatDelta,
  type ChatOptions,
  type ChatResult,
  type ChatStream,
  type ChatTimings,
  MODES,
  type Mode,
} from './chat-types.ts';
export type { ImageOptions, PoolOptions, TroupeOptions } from './config/options.ts';
export type { WeightSharing } from './config/weight-sharing.ts';
export { DEFAULT_MODEL_DIRECTORY } from './default-model.ts';
export type { ActorLoad, EngineHealth, EngineStats } from './engine-stats.ts';
export { type InspectReport, inspectModel } from './inspect/inspect-model.ts';
export {
  type ClearedCaches,
  type StartOptions,
  type StartProgress,
  type StopOptions,
  Troupe,
  type TroupeEvents,
} from './troupe.ts';
