/** The parent's end of `node-llama-child.ts`. */
import { AskedChild } from '../asked-child.ts';
import type { LlamaAnswer, LlamaPeer, LlamaSize, LlamaTask } from './llama-request.ts';

const SCRIPT = new URL('./node-llama-child.ts', import.meta.url);

export const NODE_LLAMA = 'node-llama-cpp';
/** `ChildError.code` where its package is not installed, or has no library for this machine. */
export const NODE_LLAMA_MISSING = 'NODE_LLAMA_MISSING';

/** @throws ChildError `NODE_LLAMA_MISSING`, or why the model cannot be loaded */
export async function startNodeLlama(
  gguf: string,
  { slots, tokens, threads }: LlamaSize,
): Promise<LlamaPeer> {
  const args = [gguf, ...[slots, tokens, threads].map(String)];
  const child = await AskedChild.start<LlamaTask, LlamaAnswer>(NODE_LLAMA, SCRIPT, args);
  return {
    name: NODE_LLAMA,
    pid: child.pid,
    answer: (task) => child.ask(task),
    stop: () => child.stop(),
  };
}
