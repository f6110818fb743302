/** `troupe ask`: starts an engine, asks one question, prints the answer, stops the engine. */
import process from 'node:process';
import { TroupeError } from '../../runtime/errors.ts';
import { after } from '../../runtime/util/timers.ts';
import type { ChatOptions, ChatResult } from '../chat-types.ts';
import { Troupe } from '../troupe.ts';
import { askRequest, inCallersWords } from './ask-request.ts';
import type { CommandContext } from './command-context.ts';
import { engineOptionsOf } from './engine-settings.ts';
import type { AskFlags } from './flags.ts';
import { printStream } from './print-stream.ts';
import { createProgress, type Progress } from './progress.ts';
import type { FlagValue } from './setting-flags.ts';

/** @param settings of the engine, by name */
export async function ask(
  question: string,
  flags: AskFlags,
  settings: ReadonlyMap<string, FlagValue>,
  context: CommandContext,
): Promise<void> {
  const { timeout } = flags;
  const late = new AbortController();
  const timer =
    timeout === undefined ? undefined : after(timeout * 1000, () => late.abort(tooLate(timeout))).unref();
  const signal = AbortSignal.any([context.interrupt.signal, late.signal]);
  const progress = createProgress(flags.json !== true);
  try {
    const engine = engineOptionsOf('ask', settings);
    const request = await askRequest(question, flags, engine, signal);
    const troupe = await Troupe.start({
      ...engine,
      signal,
      onProgress: ({ message }) => progress.show(message),
    });
    try {
      signal.throwIfAborted();
      for (const notice of troupe.notices) process.stderr.write(`troupe: ${notice}\n`);
      await answer(troupe, request, flags, context, progress);
    } finally {
      await troupe.stop();
    }
  } catch (error) {
    throw inCallersWords(error, flags);
  } finally {
    clearTimeout(timer);
    progress.clear();
  }
}

/** Of the whole command: a model that never loads takes its time, too. */
function tooLate(seconds: number): TroupeError {
  return new TroupeError(`there was no answer within ${seconds} s`, {
    code: 'DEADLINE_EXCEEDED',
    retrySafe: true,
    details: { timeoutMs: seconds * 1000 },
  });
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

/** What `--json` promises; the rest of a result is for programs that use the API. */
function report(
  result: ChatResult,
): Pick<ChatResult, 'text' | 'finishReason' | 'usage' | 'timings' | 'mode' | 'bytesBetweenActors'> {
  const { text, finishReason, usage, timings, mode, bytesBetweenActors } = result;
  return { text, finishReason, usage, timings, mode, bytesBetweenActors };
}
