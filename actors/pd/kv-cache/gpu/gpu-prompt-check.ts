/**
 * How many tokens of a prompt a GPU may run at a time. GroupQueryAttention has another kernel for 32 new tokens and more,
 * which is wrong on some drivers and right on others, and no driver says which it is. So it is tried when the decoder
 * has been loaded: a made-up prompt in long runs must give the logits that it gives in runs which every driver does right.
 */
import { TroupeError } from '../../../../runtime/errors.ts';

/** Up to so many tokens every driver that was tried is right; one more, and SwiftShader is wrong. */
export const CAREFUL_TOKENS = 31;

/**
 * The most that a run is allowed. A longer one gains little, since what a run costs by itself is spread over enough
 * tokens, and it keeps cancels and running answers waiting; and each token more is one more to be tried at every start.
 */
const MOST_TOKENS = 512;

/**
 * Of the logits' spread, how much their difference may be: `|a - b| / |b - mean(b)|`, as lengths of vectors. In 32 bits it
 * was 6·10⁻⁷ at most where the kernel is right, and 0.075 and more on SwiftShader for its first wrong run. Half precision makes
 * 0.0014 (embedded model, against 32 bits); in 4 bits, where products round their inputs to 8, such a difference may round
 * the other way. Too strict costs time, too lax costs answers.
 */
const TOLERANCE = 0.02;

/** Runs a prompt, always the same one, from its first token on in parts of these lengths. @returns the logits after each */
export type PromptTrial = (parts: readonly number[]) => Promise<readonly Float32Array[]>;

/**
 * @param contextLength of the model: no trial is longer
 * @returns most tokens of a prompt in one run, none of more than was tried and found right
 * @throws TroupeError `GPU_LOST`
 */
export async function promptTokensPerRun(trial: PromptTrial, contextLength: number): Promise<number> {
  const most = Math.min(MOST_TOKENS, Math.floor(contextLength / 2));
  if (most <= CAREFUL_TOKENS) return CAREFUL_TOKENS;
  for (const parts of partsToTry(most)) if (!(await agrees(trial, parts))) return CAREFUL_TOKENS;
  return most;
}

/** The shortest run that is known to go wrong, first: it costs least. Then an odd one, the longest, and one behind a past. */
function partsToTry(most: number): (readonly number[])[] {
  return [[CAREFUL_TOKENS + 1], [Math.min(67, most)], [most, Math.min(131, most)]];
}

async function agrees(trial: PromptTrial, parts: readonly number[]): Promise<boolean> {
  try {
    const expected = await trial(parts.flatMap(inCarefulParts));
    const logits = await trial(parts);
    let last = -1;
    return parts.every((count, index) => {
      last += inCarefulParts(count).length;
      return difference(logits[index], expected[last]) <= TOLERANCE;
    });
  } catch (error) {
    if (TroupeError.is(error) && error.code === 'GPU_LOST') throw error;
    // What cannot be run at all is told to whoever asks for it.
    return false;
  }
}

function inCarefulParts(count: number): number[] {
  const whole = Array<number>(Math.floor(count / CAREFUL_TOKENS)).fill(CAREFUL_TOKENS);
  return count % CAREFUL_TOKENS === 0 ? whole : [...whole, count % CAREFUL_TOKENS];
}

const NOTHING = new Float32Array(0);

/** NaN, which is within no tolerance, where a number is not finite or missing. */
function difference(logits: Float32Array = NOTHING, expected: Float32Array = NOTHING): number {
  if (logits.length !== expected.length) return Number.NaN;
  const mean = expected.reduce((sum, value) => sum + value, 0) / expected.length;
  let between = 0;
  let spread = 0;
  for (const [index, value] of expected.entries()) {
    between += ((logits[index] ?? 0) - value) ** 2;
    spread += (value - mean) ** 2;
  }
  return Math.sqrt(between / spread);
}
