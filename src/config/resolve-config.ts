/** Checks options and completes them with defaults. What contradicts itself is refused, naming both sides. */

import { InputError } from '../../actors/errors.ts';
import type { ImagePolicy } from '../../actors/image-policy.ts';
import type { Dtype } from '../../actors/model/graph-files.ts';
import type { PromptProducts } from '../../actors/model/prompt-products.ts';
import type { SpeculationKind } from '../../actors/pd/speculation/speculation-options.ts';
import type { ToolStyle } from '../../actors/tools/tool-style.ts';
import type { PulseLimits } from '../../runtime/board/pulse.ts';
import { DEFAULT_PULSE_LIMITS } from '../../runtime/supervision/watchdog.ts';
import type { Mode } from '../chat-types.ts';
import { DEFAULT_MODEL_DIRECTORY } from '../default-model.ts';
import { type DeviceChoices, deviceChoices } from './device-choices.ts';
import { engineSchema } from './engine-schema.ts';
import { imagePolicy } from './image-options.ts';
import { invalidOption } from './invalid-option.ts';
import { defaultMemoryLimit, type MemoryPlan, planMemory } from './memory-plan.ts';
import type { TroupeOptions } from './options.ts';
import { isSecretOf, settingsOf } from './setting.ts';
import type { MapWeights, WeightSharing } from './weight-sharing.ts';

export interface ResolvedConfig {
  readonly model: string;
  readonly mode: Mode;
  readonly dtype: Dtype | undefined;
  /** Undefined: the model's chat template. */
  readonly promptTemplate: string | undefined;
  /** Undefined: what the chat template teaches. */
  readonly toolCallParser: ToolStyle | undefined;
  /** What was asked for; `planThreads` completes it once the model is known. */
  readonly pools: Pick<TroupeOptions, 'processor' | 'encoder' | 'pd' | 'prefill'>;
  /** As asked for; `chooseDevices` decides. */
  readonly devices: DeviceChoices;
  readonly maxRunning: number;
  readonly maxWaiting: number;
  readonly shareWeights: WeightSharing;
  readonly mapWeights: MapWeights;
  readonly vision: {
    readonly cacheBytes: number;
    readonly maxTilesPerRun: number;
  };
  /** Undefined: `planKv` decides once the model is known. */
  readonly kvCacheBytes: number | undefined;
  readonly prefixCacheBytes: number | undefined;
  /** Undefined: by what is measured. */
  readonly prefillTokensPerStep: number | undefined;
  readonly promptProducts: PromptProducts;
  readonly speculation: SpeculationKind | undefined;
  readonly maxDraftTokens: number | undefined;
  readonly limits: {
    readonly maxImages: number;
    readonly maxImageBytes: number;
    readonly maxImagePixels: number;
    readonly maxImageSide: number;
    readonly memoryBytes: number;
  };
  /** How `limits.memoryBytes` is divided. */
  readonly memory: MemoryPlan;
  readonly images: ImagePolicy;
  readonly requestTimeoutMs: number;
  readonly retries: number;
  /** `nativeMs` is by the model's size where it was not given. */
  readonly watchdog: Omit<PulseLimits, 'nativeMs'> & { readonly nativeMs: number | undefined };
  readonly stopGraceMs: number;
}

/**
 * A step's weights are read once for all its rows, so more rows make more tokens: the 256M shape on two cores makes 1.12 (4 bits)
 * and 1.22 (8 bits) times as many with 32 rows as with 16, 1.16 and 1.43 with 64. Who would wait has the first token sooner, too.
 * Memory bounds the rows that are long; see `kv-plan.ts`.
 */
const DEFAULT_MAX_RUNNING = 64;

const REMEDY = 'See the options of Troupe.start';
const isSecret = isSecretOf(settingsOf(engineSchema));

/** @throws InputError `INVALID_OPTION` naming the field, its value and the remedy */
export function resolveConfig(options: TroupeOptions): ResolvedConfig {
  const parsed = engineSchema.safeParse(options);
  if (!parsed.success) {
    const named = (path: readonly PropertyKey[]) => ({ field: path.join('.') || 'options', remedy: REMEDY });
    throw invalidOption(options, parsed.error, named, isSecret);
  }
  const given = parsed.data;
  const mode = given.mode ?? 'aggregated';
  if (mode === 'aggregated') refuseIdleEncoder(options.encoder);
  const memory = planMemory(given.limits?.memoryBytes ?? defaultMemoryLimit());
  return {
    model: given.model ?? DEFAULT_MODEL_DIRECTORY,
    mode,
    dtype: given.dtype,
    promptTemplate: given.promptTemplate,
    toolCallParser: given.toolCallParser,
    pools: options,
    devices: deviceChoices(mode, options),
    maxRunning: given.pd?.maxRunning ?? DEFAULT_MAX_RUNNING,
    maxWaiting: given.pd?.maxWaiting ?? 32,
    shareWeights: given.shareWeights ?? 'auto',
    mapWeights: given.mapWeights ?? 'copies',
    vision: {
      cacheBytes: given.vision?.cacheBytes ?? memory.imageCacheBytes,
      maxTilesPerRun: given.vision?.maxTilesPerRun ?? 16,
    },
    kvCacheBytes: given.pd?.kvCacheBytes,
    prefixCacheBytes: given.pd?.prefixCacheBytes,
    prefillTokensPerStep: given.pd?.prefillTokensPerStep,
    promptProducts: given.pd?.promptProducts ?? 'file',
    speculation: given.pd?.speculation,
    maxDraftTokens: given.pd?.maxDraftTokens,
    limits: {
      maxImages: given.limits?.maxImages ?? 8,
      maxImageBytes: given.limits?.maxImageBytes ?? 20 * 1024 * 1024,
      maxImagePixels: given.limits?.maxImagePixels ?? 40_000_000,
      maxImageSide: given.limits?.maxImageSide ?? 65_535,
      memoryBytes: memory.limitBytes,
    },
    memory,
    images: imagePolicy(given.images),
    requestTimeoutMs: given.requestTimeoutMs ?? 600_000,
    retries: given.retries ?? 2,
    watchdog: {
      turnMs: given.watchdog?.turnMs ?? DEFAULT_PULSE_LIMITS.turnMs,
      setUpMs: given.watchdog?.setUpMs ?? DEFAULT_PULSE_LIMITS.setUpMs,
      nativeMs: given.watchdog?.nativeMs,
    },
    stopGraceMs: given.stopGraceMs ?? 10_000,
  };
}

/** The encoder has no actor of its own in aggregated mode, so there is nothing that its options could mean. */
function refuseIdleEncoder(encoder: TroupeOptions['encoder']): void {
  if (encoder === undefined) return;
  throw new InputError('INVALID_OPTION', 'cannot be combined with mode "aggregated"', {
    field: 'encoder',
    value: JSON.stringify(encoder),
    remedy: 'In aggregated mode the encoder is part of PD: set "pd" instead, or choose mode "disaggregated"',
  });
}
