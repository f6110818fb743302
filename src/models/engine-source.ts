/** How a server's model gets into memory: as an engine of its own. */
import { type FileStamp, findChange } from '../../actors/model/file-stamps.ts';
import type { StopReport } from '../../runtime/system/actor-system.ts';
import type { TroupeOptions } from '../config/options.ts';
import type { ResolvedConfig } from '../config/resolve-config.ts';
import { openModelFolder } from '../hub/model-folder.ts';
import { loadModel } from '../inspect/load-model.ts';
import type { StartProgress } from '../start-options.ts';
import { Troupe } from '../troupe.ts';
import { modelMemory } from './model-memory.ts';
import type { ModelNeeds, ModelSource } from './model-slot.ts';

export interface EngineSourceOptions {
  readonly name: string;
  readonly engine: TroupeOptions;
  /** The same, completed. */
  readonly resolved: ResolvedConfig;
  readonly keepAliveMs: number;
  /** False for the only model of a server: there is nobody to share with. */
  readonly counted: boolean;
  /** Bytes that the model is counted at; undefined: by its files and options. */
  readonly memoryBytes: number | undefined;
  readonly onProgress?: ((progress: StartProgress) => void) | undefined;
}

export class EngineSource implements ModelSource<Troupe> {
  readonly #options: EngineSourceOptions;
  #known: { readonly needs: ModelNeeds; readonly stamps: readonly FileStamp[] } | undefined;
  readonly #quarantined: string[] = [];

  constructor(options: EngineSourceOptions) {
    this.#options = options;
  }

  get name(): string {
    return this.#options.name;
  }

  get keepAliveMs(): number {
    return this.#options.keepAliveMs;
  }

  /** Actors that were left behind, over all times that it was unloaded. */
  get quarantined(): StopReport['quarantined'] {
    return this.#quarantined;
  }

  async prepare(signal: AbortSignal): Promise<ModelNeeds> {
    const { resolved, counted, memoryBytes, onProgress } = this.#options;
    if (!counted) return { memoryBytes: 0, gpu: false };
    const known = this.#known;
    if (known !== undefined && (await findChange(known.stamps)) === undefined) return known.needs;
    const directory = await openModelFolder(
      resolved.model,
      { dtype: resolved.dtype, signal, onProgress },
      async (model) => await loadModel({ ...resolved, model }),
    );
    const { encoder, pd } = resolved.devices;
    const needs = {
      memoryBytes: memoryBytes ?? modelMemory(directory, resolved),
      gpu: encoder !== 'cpu' || pd !== 'cpu',
    };
    this.#known = { needs, stamps: directory.stamps };
    return needs;
  }

  async load(signal: AbortSignal): Promise<Troupe> {
    const { engine, onProgress } = this.#options;
    return await Troupe.start({ ...engine, signal, ...(onProgress && { onProgress }) });
  }

  async unload(engine: Troupe): Promise<void> {
    const { quarantined } = await engine.stop();
    this.#quarantined.push(...quarantined);
  }
}
