/** An engine on the GPU says itself why it cannot start. */
import { ChildError } from '../asked-child.ts';
import { EMBEDDED_MODEL } from '../embedded-model.ts';
import { GPU, startEngine } from './sides.ts';

const NO_GPU: ReadonlySet<string | undefined> = new Set(['GPU_UNAVAILABLE', 'NODE_TOO_OLD']);

/** Undefined where it starts. */
export async function whyNoGpu(): Promise<string | undefined> {
  try {
    await (await startEngine(GPU, { model: EMBEDDED_MODEL })).stop();
    return undefined;
  } catch (error) {
    if (error instanceof ChildError && NO_GPU.has(error.code)) return error.message;
    throw error;
  }
}
