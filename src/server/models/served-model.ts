/** A model of a server, as everything but its loading sees it. */
import type { StopReport } from '../../../runtime/system/actor-system.ts';
import type { Events } from '../../../runtime/util/events.ts';
import type { ModelLease } from '../../models/model-rooms.ts';
import type { ModelSlot, ModelSlotEvents, ModelState } from '../../models/model-slot.ts';
import type { ServedEngine } from '../../served-engine.ts';
import type { StartProgress } from '../../start-options.ts';
import type { FairQueue } from '../fair-queue.ts';
import type { ModelConfig } from './plan-models.ts';

/** A model that is served. */
export interface ServedModel {
  readonly config: ModelConfig;
  readonly queue: FairQueue;
  readonly slot: ModelSlot<ServedEngine>;
  /** Tokens of its context; undefined until it was loaded once. */
  readonly contextLength: number | undefined;
}

/** How a model of a server is, for who looks at it from outside. */
export interface ServedModelStatus {
  /** What clients call it. */
  readonly name: string;
  /** Folder, or name on the Hub. */
  readonly model: string;
  /** `absent` while it is not in memory. */
  readonly state: ModelState;
  /** Requests in its engine. */
  readonly running: number;
  /** Requests in the queue before it. */
  readonly waiting: number;
  /** Bytes that it is counted at; 0 while it is not in memory. */
  readonly memoryBytes: number;
}

/** How a node of a fleet is, as a gateway knows it. */
export interface NodeStatus {
  readonly node: string;
  /** `silent`: it has not spoken for a while, or did not answer. */
  readonly state: 'up' | 'draining' | 'silent';
  readonly models: readonly string[];
  /** Requests in its engines, and before them. */
  readonly running: number;
  readonly waiting: number;
}

/** The models of a server: its own, or those of a fleet. */
export interface Models {
  readonly events: Events<ModelSlotEvents<ServedEngine>>;
  /** Served to who names none. */
  readonly first: ServedModel;
  readonly all: readonly ServedModel[];
  /** Where there is one and there can be no other. */
  readonly only: ServedModel | undefined;
  readonly names: readonly string[];
  /** Tokens; infinite while one of them is not known. */
  readonly longestContext: number;
  readonly usedBytes: number;
  /** Engines that are in memory. */
  readonly engines: readonly { readonly name: string; readonly engine: ServedEngine }[];
  readonly status: readonly ServedModelStatus[];
  /** Of a gateway. */
  readonly nodes?: readonly NodeStatus[];
  /** Of a gateway: requests that were given to another node, by the code of what lost them. */
  readonly moves?: ReadonlyMap<string, number>;
  get(name: string): ServedModel | undefined;
  /** @throws TroupeError when there can be no such model */
  named(name: string): ServedModel;
  lease(model: ServedModel, signal: AbortSignal): Promise<ModelLease<ServedEngine>>;
  start(onProgress: ((progress: StartProgress) => void) | undefined, signal: AbortSignal): Promise<void>;
  /** A request has ended. */
  ended(model: ServedModel): void;
  close(reason: Error): Promise<StopReport>;
}
