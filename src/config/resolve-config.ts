/** Checks options and completes them with defaults. What contradicts itself is refused, naming both sides. */
import type { z } from 'zod';
import { InputError } from '../../actors/errors.ts';
import type { Dtype } from '../../actors/model/graph-files.ts';
import type { ImagePolicy } from '../../actors/processor/image-policy.ts';
import type { Mode } from '../chat-types.ts';
import { DEFAULT_MODEL_DIRECTORY } from '../default-model.ts';
import { engineSchema } from './engine-schema.ts';
import { imagePolicy } from './image-options.ts';
import type { TroupeOptions } from './options.ts';

export interface ResolvedConfig {
  readonly model: string;
  readonly mode: Mode;
  readonly dtype: Dtype | undefined;
  /** What was asked for; `planThreads` completes it once the model is known. */
  readonly pools: Pick<TroupeOptions, 'processor' | 'encoder' | 'pd'>;
  readonly maxRunning: number;
  readonly maxWaiting: number;
  readonly limits: {
    readonly maxImages: number;
    readonly maxImageBytes: number;
    readonly maxImagePixels: number;
  };
  readonly images: ImagePolicy;
  readonly requestTimeoutMs: number;
  readonly retries: number;
  readonly stopGraceMs: number;
}

/** @throws InputError `INVALID_OPTION` naming the field, its value and the remedy */
export function resolveConfig(options: TroupeOptions): ResolvedConfig {
  const parsed = engineSchema.safeParse(options);
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
    limits: {
      maxImages: given.limits?.maxImages ?? 8,
      maxImageBytes: given.limits?.maxImageBytes ?? 20 * 1024 * 1024,
      maxImagePixels: given.limits?.maxImagePixels ?? 40_000_000,
    },
    images: imagePolicy(given.images),
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
