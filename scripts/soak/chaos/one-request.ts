/** One request under chaos: asked in one of the ways that callers have, and held against the answer that it must have. */
import { setTimeout as pause } from 'node:timers/promises';
import { TroupeError } from '../../../runtime/errors.ts';
import type { Troupe } from '../../../src/index.ts';
import type { Question } from './questions.ts';

export interface Answer {
  readonly text: string;
  readonly tokenIds: readonly number[];
}

const WAYS = [
  'chat',
  'stream',
  'stream',
  'slow reader',
  'leaves after text',
  'leaves after a while',
] as const;
type Way = (typeof WAYS)[number];

const SLOW_MS = 3;
const LEAVES_WITHIN_MS = 400;

/** Losses of a request that say nothing about it, all of them safe to repeat; and the verdict on one that was at two deaths. */
const MAY_BE_LOST: ReadonlySet<string> = new Set(['ACTOR_DIED', 'ACTOR_STOPPED', 'TENSOR_RELEASED']);

/** `answered`, `left`, a code that is allowed, or `WRONG: …`, which is not. */
export async function oneRequest(
  troupe: Troupe,
  { name, options }: Question,
  expected: Answer,
  random: () => number,
): Promise<string> {
  const way = WAYS[Math.floor(random() * WAYS.length)] as Way; // the index is below the length
  const abort = new AbortController();
  const patience = way === 'leaves after a while' ? random() * LEAVES_WITHIN_MS : undefined;
  if (patience !== undefined) void pause(patience).then(() => abort.abort());
  const wrong = (what: string) => `WRONG: ${name}, ${way}: ${what}`;
  let text = '';
  try {
    if (way === 'chat') {
      const result = await troupe.chat({ ...options, signal: abort.signal });
      return isSame(result, expected) ? 'answered' : wrong(`said ${JSON.stringify(result.text)}`);
    }
    const stream = troupe.stream({ ...options, signal: abort.signal });
    for await (const delta of stream) {
      text += delta.text;
      if (way === 'slow reader') await pause(SLOW_MS);
      if (way === 'leaves after text') abort.abort();
    }
    const result = await stream.result;
    if (!isSame(result, expected)) return wrong(`said ${JSON.stringify(result.text)}`);
    return text.trimStart() === expected.text ? 'answered' : wrong(`streamed ${JSON.stringify(text)}`);
  } catch (error) {
    if (!expected.text.startsWith(text.trimStart())) return wrong(`streamed ${JSON.stringify(text)}`);
    if (!TroupeError.is(error)) return wrong(String(error));
    const { code, retrySafe, message } = error;
    if (code === 'ABORTED' && abort.signal.aborted) return 'left';
    if (code === 'REQUEST_CRASHED_ACTOR') return code;
    if (MAY_BE_LOST.has(code) && retrySafe) return text === '' ? `${code} before text` : `${code} after text`;
    return wrong(`${code}, retrySafe ${retrySafe}: ${message}`);
  }
}

function isSame(result: Answer, expected: Answer): boolean {
  return result.text === expected.text && String(result.tokenIds) === String(expected.tokenIds);
}
