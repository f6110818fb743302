/** Checks options and completes them with defaults. What contradicts itself is refused, naming both sides. */
import { z } from 'zod';
import { InputError } from '../../actors/errors.ts';
import { DTYPES, type Dtype } from '../../actors/model/graph-files.ts';
import { MODES, type Mode } from '../chat-types.ts';
import { DEFAULT_MODEL_DIRECTORY } from '../default-model.ts';
import type { TroupeOptions } from './options.ts';
import { WEIGHT_SHARING, type WeightSharing } from './weight-sharing.ts';

const count = z.number().int().min(1).max(64);
const bytes = z.number().int().min(1);
const milliseconds = z.number().min(1);
/** It is reserved as one piece of address space. */
const MAX_CACHE_BYTES = 8 * 1024 ** 3;

const schema = z.strictObject({
  model: z.string().min(1).optional(),
  mode: z.enum(MODES as [Mode, ...Mode[]]).optional(),
  dtype: z.enum(DTYPES as [Dtype, ...Dtype[]]).optional(),
  processor: z.strictObject({ count: count.optional() }).optional(),
  encoder: z.strictObject({ count: count.optional(), threads: count.optional() }).optional(),
  pd: z
    .strictObject({
      count: count.optional(),
      threads: count.optional(),
      maxRunning: z.number().int().min(1).max(1024).optional(),
      maxWaiting: z.number().int().min(1).max(65_536).optional(),
      kvCacheBytes: bytes.optional(),
      prefixCacheBytes: z.number().int().min(0).optional(),
    })
    .optional(),
  vision: z
    .strictObject({
      cacheBytes: z.number().int().min(0).max(MAX_CACHE_BYTES).optional(),
      maxTilesPerRun: z.number().int().min(1).max(1024).optional(),
    })
    .optional(),
  shareWeights: z.enum(WEIGHT_SHARING as [WeightSharing, ...WeightSharing[]]).optional(),
  limits: z
    .strictObject({
      maxImages: z.number().int().min(0).max(1024).optional(),
      maxImageBytes: bytes.optional(),
      maxImagePixels: bytes.optional(),
    })
    .optional(),
  requestTimeoutMs: milliseconds.optional(),
  retries: z.number().int().min(0).max(100).optional(),
  stopGraceMs: z.number().min(0).optional(),
});

export interface ResolvedConfig {
  readonly model: string;
  readonly mode: Mode;
  readonly dtype: Dtype | undefined;
  /** What was asked for; `planThreads` completes it once the model is known. */
  readonly pools: Pick<TroupeOptions, 'processor' | 'encoder' | 'pd'>;
  readonly maxRunning: number;
  readonly maxWaiting: number;
  readonly shareWeights: WeightSharing;
  readonly vision: {
    readonly cacheBytes: number;
    readonly maxTilesPerRun: number;
  };
  /** Undefined: `planKv` decides once the model is known. */
  readonly kvCacheBytes: number | undefined;
  readonly prefixCacheBytes: number | undefined;
  readonly limits: {
    readonly maxImages: number;
    readonly maxImageBytes: number;
    readonly maxImagePixels: number;
  };
  readonly requestTimeoutMs: number;
  readonly retries: number;
  readonly stopGraceMs: number;
}

/** @throws InputError `INVALID_OPTION` naming the field, its value and the remedy */
export function resolveConfig(options: TroupeOptions): ResolvedConfig {
  const parsed = schema.safeParse(options);
  if (!parsed.success) throw invalidOption(options, parsed.error);
  const given = parsed.data;
  const mode = given.mode ?? 'aggregated';
  if (mode === 'aggregated') refuseIdleEncoder(options.encoder);
  return {
    model: given.model ?? DEFAULT_MODEL_DIRECTORY,
    mode,
    dtype: given.dtype,
    pools: options,
    maxRunning: given.pd?.maxRunning ?? 16,
    maxWaiting: given.pd?.maxWaiting ?? 32,
    shareWeights: given.shareWeights ?? 'auto',
    vision: {
      cacheBytes: given.vision?.cacheBytes ?? 128 * 1024 * 1024,
      maxTilesPerRun: given.vision?.maxTilesPerRun ?? 16,
    },
    kvCacheBytes: given.pd?.kvCacheBytes,
    prefixCacheBytes: given.pd?.prefixCacheBytes,
    limits: {
      maxImages: given.limits?.maxImages ?? 8,
      maxImageBytes: given.limits?.maxImageBytes ?? 20 * 1024 * 1024,
      maxImagePixels: given.limits?.maxImagePixels ?? 40_000_000,
    },
    requestTimeoutMs: given.requestTimeoutMs ?? 600_000,
    retries: given.retries ?? 2,
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

function invalidOption(options: unknown, error: z.ZodError): InputError {
  const [issue] = error.issues;
  const unknown = issue?.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : [];
  const path = [...(issue?.path ?? []), ...unknown];
  const value: unknown = path.reduce<unknown>((at, key) => Object(at)[key], options);
  return new InputError('INVALID_OPTION', lowerFirst(issue?.message ?? 'is not valid'), {
    field: path.join('.') || 'options',
    value:
      typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
        ? value
        : String(value),
    remedy: 'See the options of Troupe.start',
  });
}

const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);
