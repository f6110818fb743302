/** Which models a server has, what each is called, and the options that its engine is started with. */
import { statSync } from 'node:fs';
import { basename } from 'node:path';
import { InputError } from '../../../actors/errors.ts';
import { isPlainObject } from '../../../runtime/util/realms.ts';
import type { NameOption } from '../../config/invalid-option.ts';
import type { TroupeOptions } from '../../config/options.ts';
import { type ResolvedConfig, resolveConfig } from '../../config/resolve-config.ts';
import { mostActors } from '../../config/this-machine.ts';
import { HUB_SCHEME, isWrittenAsPath } from '../../hub/model-name.ts';

/** A model of a server. */
export interface ModelConfig {
  /** What clients call it. */
  readonly name: string;
  readonly engine: TroupeOptions;
  /** The same, completed. */
  readonly resolved: ResolvedConfig;
  /** What it does not have in common with the others, as it was given. */
  readonly own: object;
  /** Infinity: it stays. */
  readonly keepAliveMs: number;
  readonly preload: boolean;
  /** Bytes that it is counted at; undefined: by its files. */
  readonly memoryBytes: number | undefined;
  /** False for the only one. */
  readonly counted: boolean;
  /** Requests in its engine at once. */
  readonly maxInFlight: number;
}

/** Checked by the schema; absent where nothing was given. */
export interface WantedModels {
  readonly model?: string | readonly string[];
  readonly models?: readonly WantedModel[];
  readonly modelName?: string;
  readonly modelKeepAliveMs?: number;
  readonly preloadModels?: boolean;
  readonly allowPull?: boolean;
}

interface WantedModel {
  /** Absent: the embedded one. */
  readonly model?: string | undefined;
  readonly name?: string | undefined;
  readonly keepAliveMs?: number | undefined;
  readonly preload?: boolean | undefined;
  readonly memoryBytes?: number | undefined;
  readonly [engineOption: string]: unknown;
}

export interface ModelSurroundings {
  /** The engine options that all models have in common. */
  readonly common: TroupeOptions;
  readonly maxInFlight: number | undefined;
  readonly name: NameOption;
}

export interface PlannedModels {
  readonly engine: TroupeOptions;
  readonly resolved: ResolvedConfig;
  readonly models: readonly [ModelConfig, ...ModelConfig[]];
  modelNamed(name: string): ModelConfig;
}

const KEEP_ALIVE_MS = 300_000;
/** Less has no room for a photograph. */
const LEAST_BYTES = 256 * 1024 ** 2;

/** @throws InputError `INVALID_OPTION` */
export function planModels(wanted: WantedModels, surroundings: ModelSurroundings): PlannedModels {
  const { common, maxInFlight } = surroundings;
  const resolved = resolveConfig(common);
  const list = listOf(wanted, surroundings.name);
  const counted = list.length > 1 || wanted.allowPull === true;
  const limits = {
    ...common.limits,
    memoryBytes: shareOf(resolved, counted ? list.length + Number(wanted.allowPull) : 1),
  };
  const keepAliveMs = wanted.modelKeepAliveMs ?? (counted ? KEEP_ALIVE_MS : Number.POSITIVE_INFINITY);
  const plan = ({ name, keepAliveMs: own, preload, memoryBytes, ...options }: WantedModel): ModelConfig => {
    const given = definedOf(options);
    const engine: TroupeOptions = { ...merged(common, given), ...(counted && { limits }) };
    const config = resolveConfig(engine);
    return {
      name: name ?? nameFor(config.model),
      ...{ engine, resolved: config, own: given, memoryBytes, counted },
      keepAliveMs: own ?? keepAliveMs,
      // Who has one model waits for it at the start, not with the first request.
      preload: preload ?? (wanted.preloadModels === true || list.length === 1),
      maxInFlight: maxInFlight ?? defaultInFlight(config),
    };
  };
  const [first, ...others] = list;
  const models: [ModelConfig, ...ModelConfig[]] = [plan(first), ...others.map(plan)];
  assertDistinct(models, surroundings.name);
  return {
    engine: common,
    resolved,
    models,
    modelNamed: (model) => ({ ...plan({ model: HUB_SCHEME + model, name: model }), preload: false }),
  };
}

function listOf(
  { model, models, modelName }: WantedModels,
  name: NameOption,
): readonly [WantedModel, ...WantedModel[]] {
  if (model !== undefined && models !== undefined) {
    const facts = { ...name(['models']), value: `${models.length} models` };
    throw new InputError('INVALID_OPTION', `cannot be combined with ${name(['model']).field}`, facts);
  }
  const named = typeof model === 'string' ? [model] : model;
  const [first, ...others] = models ?? named?.map((one): WantedModel => ({ model: one })) ?? [];
  if (first === undefined) return [{ name: modelName }];
  if (others.length === 0) return [{ ...first, name: first.name ?? modelName }];
  if (modelName === undefined) return [first, ...others];
  const facts = { ...name(['modelName']), value: modelName };
  throw new InputError('INVALID_OPTION', 'names one model, where there are several', facts);
}

/** Each plans its memory for itself: together they stay within that of the process. */
function shareOf({ memory }: ResolvedConfig, count: number): number {
  return Math.max(LEAST_BYTES, Math.floor(memory.limitBytes / count));
}

function assertDistinct(models: readonly ModelConfig[], name: NameOption): void {
  const names = models.map((model) => model.name);
  const twice = names.find((one, index) => names.indexOf(one) !== index);
  if (twice === undefined) return;
  const facts = { field: name(['models']).field, value: twice, remedy: 'Give each model a name of its own' };
  throw new InputError('INVALID_OPTION', 'has two models of one name', facts);
}

/** Of a model on the Hub as it is, of a folder the last part. */
function nameFor(model: string): string {
  if (model.startsWith(HUB_SCHEME)) return model.slice(HUB_SCHEME.length);
  if (isWrittenAsPath(model)) return basename(model);
  return statSync(model, { throwIfNoEntry: false })?.isDirectory() === true ? basename(model) : model;
}

/** So many being prepared keep an actor's next places filled; who waits before them is dealt with fairly. */
const MOST_PREPARED = 16;

/** Batches that decode, and requests that are being prepared for the next places. */
function defaultInFlight(config: ResolvedConfig): number {
  const { maxRunning } = config;
  return (maxRunning + Math.min(maxRunning, MOST_PREPARED)) * mostActors(config);
}

/** `pd: { count: 2 }` of a model leaves what else all have in `pd`. */
function merged(common: TroupeOptions, own: object): TroupeOptions {
  const groups = Object.entries(common).map(([key, value]): [string, unknown] => {
    const mine: unknown = Object.entries(own).find(([name]) => name === key)?.[1];
    if (!isPlainObject(value) || !isPlainObject(mine)) return [key, mine ?? value];
    return [key, { ...value, ...definedOf(mine) }];
  });
  return { ...own, ...Object.fromEntries(groups) };
}

function definedOf(object: object): object {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
}
