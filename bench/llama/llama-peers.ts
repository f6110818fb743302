/** The llama.cpp that there are on this machine, started on one model: what is not there is left out by name. */
import { stat } from 'node:fs/promises';
import process from 'node:process';
import type { ModelDirectory } from '../../actors/model/model-directory.ts';
import { SMALL_MODEL_BYTES } from '../../src/config/thread-plan.ts';
import { ChildError } from '../asked-child.ts';
import { THREADS } from '../embedded-model.ts';
import type { LlamaPeer, LlamaSize } from '../peers/llama-request.ts';
import { LLAMA_SERVER, startLlamaServer } from '../peers/llama-server.ts';
import { NODE_LLAMA, NODE_LLAMA_MISSING, startNodeLlama } from '../peers/node-llama.ts';

export class LlamaPeers implements AsyncDisposable {
  readonly all: readonly LlamaPeer[];

  private constructor(peers: readonly LlamaPeer[]) {
    this.all = peers;
  }

  static async start(
    model: ModelDirectory,
    { slots, tokens }: Pick<LlamaSize, 'slots' | 'tokens'>,
  ): Promise<LlamaPeers> {
    const gguf = await convert(model);
    if (gguf === undefined) return new LlamaPeers([]);
    const size = { slots, tokens, threads: await threadsFor(gguf) };
    const peers: LlamaPeer[] = [];
    try {
      for (const start of [nodeLlama, server]) {
        const peer = await start(gguf, size);
        if (peer !== undefined) peers.push(peer);
      }
    } catch (error) {
      await new LlamaPeers(peers)[Symbol.asyncDispose]();
      throw error;
    }
    return new LlamaPeers(peers);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.all.map((peer) => peer.stop()));
  }
}

/** As the engine chooses them: a second thread makes a small model slower, here as there. */
async function threadsFor(gguf: string): Promise<number> {
  return (await stat(gguf)).size < SMALL_MODEL_BYTES ? 1 : THREADS;
}

/** Whoever is not there is named once. */
const leftOut = new Set<string>();

function leaveOut(name: string, reason: string): undefined {
  if (!leftOut.has(name)) process.stderr.write(`  left out: ${name}, ${reason}\n`);
  leftOut.add(name);
}

/** What reads and writes GGUF is not there on a bare machine. */
async function convert(model: ModelDirectory): Promise<string | undefined> {
  try {
    const { ggufOf } = await import('./make-gguf.ts');
    return await ggufOf(model);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND') {
      return leaveOut('llama.cpp', 'since @huggingface/gguf is not installed');
    }
    throw error;
  }
}

async function nodeLlama(gguf: string, size: LlamaSize): Promise<LlamaPeer | undefined> {
  try {
    return await startNodeLlama(gguf, size);
  } catch (error) {
    if (!(error instanceof ChildError) || error.code !== NODE_LLAMA_MISSING) throw error;
    return leaveOut(NODE_LLAMA, error.message);
  }
}

async function server(gguf: string, size: LlamaSize): Promise<LlamaPeer | undefined> {
  const program = process.env.LLAMA_SERVER;
  if (!program) return leaveOut(LLAMA_SERVER, 'since LLAMA_SERVER does not say where it is');
  return await startLlamaServer(program, gguf, size);
}
