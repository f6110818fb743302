/**
 * How many actors and threads a machine gets by default, and why. Inference threads are counted in cores; processors
 * and the caller's own thread share what the inference leaves idle, since they work in short bursts.
 */
import type { Mode } from '../chat-types.ts';
import type { PoolOptions, TroupeOptions } from './options.ts';
import { poolSize, smallPoolSize } from './pool-size.ts';

export interface PoolPlan {
  readonly count: number;
  /** Intra-op threads of each actor's sessions, its own thread included; 0 for actors that run no inference. */
  readonly threads: number;
  /** Where the numbers come from, as a sentence without a full stop. */
  readonly why: string;
  /** Threads of the pool's first actor while no other one works. Absent: as always. */
  readonly alone?: number;
}

export interface ThreadPlan {
  readonly processor: PoolPlan;
  /** Absent in aggregated mode. */
  readonly encoder?: PoolPlan;
  readonly pd: PoolPlan;
  /** Runs long prompts while PD decodes. Absent where nobody does. */
  readonly prefill?: PoolPlan;
  /** What else there is to say about the plan, a sentence each. */
  readonly notes: readonly string[];
}

export interface Machine {
  /** That this process may use: its affinity and the limits of its control group count. */
  readonly cores: number;
  /** Of the model's graphs together. */
  readonly weightBytes: number;
  /** Of its decoder. Default `weightBytes`. */
  readonly decoderBytes?: number;
  /** That the process is meant to have. Default: enough for any plan. */
  readonly memoryBytes?: number;
  /** Why there is one actor of the language model unless more are asked for, as a clause. Absent: several may be. */
  readonly single?: string | undefined;
}

/**
 * Below this, sharing one operator among threads costs more than it saves: on the embedded model (5 MB) a second
 * thread takes tokens per second away, unless there is one caller alone.
 */
export const SMALL_MODEL_BYTES = 64 * 1024 * 1024;

export const AS_ASKED = 'as asked for';
const SMALL = 'the model is small: dividing its operators among threads costs more than it saves';

/** The defaults, overridden by what was asked for. */
export function planThreads(mode: Mode, given: TroupeOptions, machine: Machine): ThreadPlan {
  const processor = planProcessor(given.processor, machine);
  const pools = mode === 'aggregated' ? planAggregated(given.pd, machine) : planApart(given, machine);
  return { processor, ...pools, notes: notesOn(pools, machine) };
}

/**
 * Preparing an image took between a hundredth and an eighth of the time of encoding it on one core (512-pixel tiles,
 * SmolVLM-256M's shape; the most for a photograph of 12 megapixels that becomes one tile).
 */
function planProcessor(given: PoolOptions | undefined, { cores }: Machine): PoolPlan {
  if (given?.count !== undefined) return { count: given.count, threads: 0, why: AS_ASKED };
  const why = `a quarter of ${plural(cores, 'core')}, at least one: preparing an image takes far less than encoding it`;
  return { count: Math.max(1, Math.floor(cores / 4)), threads: 0, why };
}

function planAggregated(given: PoolOptions | undefined, machine: Machine): { pd: PoolPlan } {
  const { cores, weightBytes } = machine;
  if (isChosen(given) || weightBytes >= SMALL_MODEL_BYTES) {
    return { pd: planPd(given, machine, cores, `all of ${plural(cores, 'core')}`) };
  }
  const { count, why } = smallPoolSize(cores, machine);
  const plan = { count, threads: 1, why: why === '' ? SMALL : `${SMALL}; ${why}` };
  return { pd: widened(plan, Math.min(cores, MOST_SMALL_ALONE)) };
}

/**
 * What takes tokens away where several answers go on gives them to a lone caller: a picture and a prompt are long enough to be
 * shared. Embedded model, a question about a new picture, ms: 24 with one thread and 18 with two, on two cores; 42, 34, 29 and 26
 * with 1, 2, 4 and 8 of a Xeon's 16.
 */
const MOST_SMALL_ALONE = 8;

/** An image is encoded once but decoded from for many steps: the larger half goes to PD. */
function planApart(
  { encoder: askedEncoder, pd: askedPd }: TroupeOptions,
  machine: Machine,
): { encoder: PoolPlan; pd: PoolPlan } {
  const { cores } = machine;
  const pdThreads = askedPd?.threads;
  const encoder =
    pdThreads === undefined
      ? planEncoder(askedEncoder, machine, Math.floor(cores / 2), `half of ${plural(cores, 'core')}`)
      : planEncoder(askedEncoder, machine, cores - (askedPd?.count ?? 1) * pdThreads, 'what PD leaves');
  const left = cores - encoder.count * encoder.threads;
  return {
    encoder,
    pd: planPd(askedPd, machine, left, `what the encoder leaves of ${plural(cores, 'core')}`),
  };
}

/** A run of the vision graph is long operators, which many threads share well, but not any number. */
const MOST_ENCODER_THREADS = 8;

function planEncoder(
  given: PoolOptions | undefined,
  machine: Machine,
  share: number,
  what: string,
): PoolPlan {
  const { single, weightBytes } = machine;
  const one = given !== undefined || single !== undefined || weightBytes < SMALL_MODEL_BYTES;
  const count = one ? (given?.count ?? 1) : Math.max(1, Math.ceil(share / MOST_ENCODER_THREADS));
  return planPool({ ...given, count }, machine, share, what);
}

function isChosen(given: PoolOptions | undefined): boolean {
  return given?.count !== undefined || given?.threads !== undefined;
}

/** As many actors as the machine has use for, unless it is said how many or how wide. */
function planPd(given: PoolOptions | undefined, machine: Machine, share: number, what: string): PoolPlan {
  if (isChosen(given) || machine.weightBytes < SMALL_MODEL_BYTES)
    return widened(planPool(given, machine, share, what), share);
  const { count, why } = poolSize(share, machine);
  const plan = planPool({ count }, machine, share, what);
  return widened({ ...plan, why: why === '' ? plan.why : `${plan.why}: ${why}` }, share);
}

/** The first of several, with as many threads as all have, for the time in which it is the only one at work. */
function widened(plan: PoolPlan, share: number): PoolPlan {
  const alone = Math.min(share, MOST_ALONE);
  const fixed = plan.why === SMALL || plan.why === AS_ASKED;
  return plan.count > 1 && alone > plan.threads && !fixed ? { ...plan, alone } : plan;
}

/** More threads than this do not make a prompt any faster that is worth having them wait. */
const MOST_ALONE = 16;

/** @param share cores that all actors of the pool have together; less than one for each still gives each a thread */
function planPool(
  given: PoolOptions | undefined,
  { weightBytes }: Machine,
  share: number,
  what: string,
): PoolPlan {
  const count = given?.count ?? 1;
  if (given?.threads !== undefined) return { count, threads: given.threads, why: AS_ASKED };
  if (weightBytes < SMALL_MODEL_BYTES) return { count, threads: 1, why: SMALL };
  const threads = Math.max(1, Math.floor(share / count));
  const shared = count > 1 ? `, shared by ${plural(count, 'actor')}` : '';
  return { count, threads, why: share < count ? 'the least there is: one thread each' : `${what}${shared}` };
}

function notesOn({ pd, encoder }: Pick<ThreadPlan, 'pd' | 'encoder'>, { cores }: Machine): string[] {
  const notes: string[] = [];
  const threads = [pd, encoder].reduce((sum, pool) => sum + (pool?.count ?? 0) * (pool?.threads ?? 0), 0);
  if (threads > cores)
    notes.push(`${plural(threads, 'inference thread')} take turns on ${plural(cores, 'core')}`);
  if (pd.count > 1) {
    notes.push(
      'a request goes to the actor that has run the beginning of its prompt, unless another has less to do',
    );
  }
  if (pd.alone !== undefined) {
    notes.push(
      `the first actor of the language model runs pictures and prompts on ${plural(pd.alone, 'thread')} while no other works, and takes what comes then`,
    );
  }
  return notes;
}

/** Threads that are left to each PD actor while prompts are run beside it. */
export function threadsBeside({ pd, prefill }: Pick<ThreadPlan, 'pd' | 'prefill'>): number {
  const taken = prefill === undefined ? 0 : (prefill.count * prefill.threads) / pd.count;
  return Math.max(1, Math.floor(pd.threads - taken));
}

export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
