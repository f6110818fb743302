/** `troupe ask`: starts an engine, asks one question, prints the answer, stops the engine. */
import type { ChatOptions, ChatResult } from '../chat-types.ts';
import { Troupe } from '../troupe.ts';
import { askRequest, inCallersWords } from './ask-request.ts';
import type { CommandContext } from './command-context.ts';
import { type AskFlags, engineOptionsOf } from './flags.ts';
import { printStream } from './print-stream.ts';
import { createProgress, type Progress } from './progress.ts';

export async function ask(question: string, flags: AskFlags, context: CommandContext): Promise<void> {
  const { signal } = context.interrupt;
  const progress = createProgress(flags.json !== true);
  try {
    const request = await askRequest(question, flags, signal);
    const troupe = await Troupe.start({
      ...engineOptionsOf(flags),
      onProgress: ({ message }) => progress.show(message),
    });
    try {
      signal.throwIfAborted();
      await answer(troupe, request, flags, context, progress);
    } finally {
      const { quarantined } = await troupe.stop();
      if (quarantined.length > 0) context.interrupt.endWithin(); // their threads may keep the process
    }
  } catch (error) {
    throw inCallersWords(error, flags);
  } finally {
    progress.clear();
  }
}

async function answer(
  troupe: Troupe,
  request: ChatOptions,
  flags: AskFlags,
  { output }: CommandContext,
  progress: Progress,
): Promise<void> {
  progress.show('thinking');
  if (flags.json === true) {
    const result = report(await troupe.chat(request));
    const { gpu } = await troupe.stats();
    await output.write(`${JSON.stringify(gpu === undefined ? result : { ...result, gpu })}\n`);
  } else await printStream(troupe.stream(request), output, () => progress.clear());
}

/** What `--json` promises; token ids and stages of a result are for programs that use the API. */
function report(result: ChatResult): Omit<ChatResult, 'tokenIds' | 'stages'> {
  const { text, finishReason, usage, timings, mode, bytesBetweenActors } = result;
  return { text, finishReason, usage, timings, mode, bytesBetweenActors };
}
