/** `npm run soak:chaos`: an actor of a random role dies each second, in one of five ways, while the engine is used. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Mode, Troupe } from '../src/index.ts';
import { flagsOf } from './flags.ts';
import { causeOf, FAULTS, type Fault, makeThreadsVulnerable, Striker } from './soak/chaos/faults.ts';
import { type Answer, oneRequest } from './soak/chaos/one-request.ts';
import { type Question, questions } from './soak/chaos/questions.ts';
import { memory } from './soak/own-memory.ts';
import { seeded } from './soak/random.ts';

const HELP = `Usage: npm run soak:chaos -- [options]

Asks the embedded model from many callers at once while each second an actor of a random role dies: of an error, a rejection
that nobody handles, its heap's limit, process.exit, or a loop without an end. A prefill actor runs along. Every request must
settle once: with the very answer of the quiet engine (and of PyTorch, where that is known), or with a loss that is safe to
repeat, what was streamed until then being the beginning of that answer. At the end every actor must be up, nothing may be
held, no thread left behind, and memory may not have grown since the third of the time. With the built package. Linux only.

Options:
  --minutes N   in each mode (default: 10)
  --mode M      aggregated or disaggregated (default: both, one after the other)
  --callers N   at once (default: 8)
  --faults F,F  only these of ${FAULTS.join(', ')}
  --seed N      of the load and the faults (default: 1)
  --help        show this
`;

const values = flagsOf(HELP, {
  minutes: { type: 'string', default: '10' },
  mode: { type: 'string' },
  callers: { type: 'string', default: '8' },
  seed: { type: 'string', default: '1' },
  faults: { type: 'string', default: FAULTS.join() },
});
const chosenFaults = FAULTS.filter((fault) => values.faults.split(',').includes(fault));

const STRIKE_EVERY_MS = 1_000;
/** The embeddings are forgotten from time to time, so that the encoder has something to do. */
const FORGET_EVERY_MS = 2_000;
const LOOK_EVERY_MS = 5_000;
const SETTLE_MS = 30_000;
/** Time in which a thread gives no sign of life until it is taken for hung. */
const TURN_MS = 2_000;
/** Garbage that V8 has not collected yet. What malloc keeps for threads that come and go is bounded by `MALLOC_ARENA_MAX=2`. */
const MOST_GROWTH_MB = 120;
const WRONG_SHOWN = 20;

makeThreadsVulnerable();
const built = (path: string) => import(new URL(`../dist/${path}`, import.meta.url).href);
const { Troupe: BuiltTroupe } = (await built('src/index.js')) as typeof import('../src/index.ts'); // the same, built
const { DEFAULT_RESTART_POLICY } = (await built('runtime/index.js')) as typeof import('../runtime/index.ts');
// Who dies twenty times a minute because of others must not be given up for it.
Object.assign(DEFAULT_RESTART_POLICY, { maxRestarts: Number.POSITIVE_INFINITY, maxBackoffMs: 200 });

/** Counts by name. */
class Tally {
  readonly counts: Record<string, number> = {};

  add(name: string): void {
    this.counts[name] = (this.counts[name] ?? 0) + 1;
  }

  get total(): number {
    return Object.values(this.counts).reduce((sum, count) => sum + count, 0);
  }
}

async function expectedAnswers(troupe: Troupe, asked: readonly Question[]): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (const { name, options, tokenIds } of asked) {
    const { text, tokenIds: said } = await troupe.chat(options);
    if (tokenIds !== undefined && String(tokenIds) !== String(said))
      throw new Error(`${name}: not the golden`);
    answers.push({ text, tokenIds: said });
  }
  return answers;
}

/** What an idle engine still has in its hands, and who is not up. */
async function held(troupe: Troupe): Promise<string[]> {
  await troupe.clearCaches();
  const { actors, arenas, requestsInFlight } = await troupe.stats();
  return [
    ...(requestsInFlight > 0 ? [`${requestsInFlight} requests`] : []),
    ...actors.flatMap(({ name, state, stats }) =>
      state !== 'up' || stats === undefined
        ? [`${name} ${state}`]
        : ['handling', 'mailbox', 'running', 'waiting']
            .filter((count) => Number(stats[count] ?? 0) > 0)
            .map((count) => `${name} ${count} ${stats[count]}`),
    ),
    ...arenas.filter(({ tensors }) => tensors > 0).map(({ name, tensors }) => `${name} ${tensors} tensors`),
  ];
}

/** Deaths by role and cause, and requests that did not settle exactly once. */
function watched(troupe: Troupe) {
  const deaths = new Tally();
  const open = new Map<string, number>();
  let doubled = 0;
  let leftBehind = 0;
  troupe.events.on('actor:quarantined', () => {
    leftBehind += 1;
  });
  troupe.events.on('actor:down', ({ actor, error }) => {
    if (error !== undefined) deaths.add(`${actor.split('/')[0]} ${causeOf(error)}`);
    if (error !== undefined && causeOf(error) === 'other') console.log(error);
  });
  troupe.events.on('request:start', ({ requestId }) => open.set(requestId, 0));
  troupe.events.on('request:end', ({ requestId }) => {
    if (!open.delete(requestId)) doubled += 1;
  });
  return { deaths, unsettled: () => open.size, doubled: () => doubled, leftBehind: () => leftBehind };
}

/** Every so often until the time is up, or as long as `work` takes. */
async function every(ms: number, endsAt: number, work: () => unknown): Promise<void> {
  while (performance.now() < endsAt) {
    await pause(ms);
    await work();
  }
}

async function soak(mode: Mode, minutes: number): Promise<boolean> {
  const random = seeded(Number(values.seed));
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T; // the index is below the length
  await using troupe = await BuiltTroupe.start({
    mode,
    prefill: { count: 1 },
    pd: { maxRunning: 4, prefixCacheBytes: 0 },
    watchdog: { turnMs: TURN_MS },
  });
  const asked = await questions();
  const expected = await expectedAnswers(troupe, asked);
  const { deaths, unsettled, doubled, leftBehind } = watched(troupe);
  const striker = new Striker();
  const outcomes = new Tally();
  const faults = new Tally();
  const wrongs: string[] = [];
  const megabytes: number[] = [];
  const endsAt = performance.now() + minutes * 60_000;
  let slowestMs = 0;
  let answeredAt = performance.now();
  let longestGapMs = 0;

  async function caller(): Promise<void> {
    while (performance.now() < endsAt) {
      const index = Math.floor(random() * asked.length);
      const [question, answer] = [asked[index], expected[index]];
      if (question === undefined || answer === undefined) throw new RangeError('there is no such question');
      const startedAt = performance.now();
      const outcome = await oneRequest(troupe, question, answer, random);
      const now = performance.now();
      slowestMs = Math.max(slowestMs, now - startedAt);
      if (outcome === 'answered') {
        longestGapMs = Math.max(longestGapMs, now - answeredAt);
        answeredAt = now;
      }
      outcomes.add(outcome.startsWith('WRONG') ? 'WRONG' : outcome);
      if (!outcome.startsWith('WRONG')) continue;
      wrongs.push(outcome);
      if (wrongs.length <= WRONG_SHOWN) console.log(outcome);
    }
  }

  /** One that is up: an actor that is struck while it starts, each time, would never serve. */
  function strike(): void {
    const up = troupe.health().actors.filter(({ state }) => state === 'up');
    if (up.length === 0) return;
    const fault: Fault = pick(chosenFaults);
    faults.add(fault);
    striker.strike(pick(up).name, fault);
  }

  await Promise.all([
    ...Array.from({ length: Number(values.callers) }, caller),
    every(STRIKE_EVERY_MS, endsAt, strike),
    every(FORGET_EVERY_MS, endsAt, () => troupe.clearCaches()),
    every(LOOK_EVERY_MS, endsAt, () => megabytes.push(memory().anonymous)),
    every(60_000, endsAt, () =>
      console.log(`${mode}: ${memory().anonymous} MB, ${JSON.stringify(outcomes.counts)}`),
    ),
  ]);
  striker.close();

  const idleSince = performance.now();
  let left = await held(troupe);
  while (left.length > 0 && performance.now() - idleSince < SETTLE_MS) {
    await pause(100);
    left = await held(troupe);
  }
  const lowest = (part: readonly number[]) => Math.min(...part);
  const third = Math.floor(megabytes.length / 3);
  const grown = lowest(megabytes.slice(-third)) - lowest(megabytes.slice(third, 2 * third));
  console.log(`${mode}: ${outcomes.total} requests: ${JSON.stringify(outcomes.counts)}`);
  console.log(`${mode}: ${faults.total} strikes ${JSON.stringify(faults.counts)}`);
  console.log(`${mode}: ${deaths.total} deaths ${JSON.stringify(deaths.counts)}`);
  console.log(
    `${mode}: the slowest request took ${seconds(slowestMs)}, no answer came for ${seconds(longestGapMs)} at most`,
  );
  console.log(`${mode}: memory ${megabytes.join(' ')} MB, grown by ${grown} MB`);
  console.log(
    `${mode}: ${unsettled()} never settled, ${doubled()} settled twice, ${leftBehind()} threads left behind; ${left.length === 0 ? 'nothing is held' : left.join(', ')}`,
  );
  const answered = outcomes.counts.answered ?? 0;
  const settled = unsettled() === 0 && doubled() === 0 && leftBehind() === 0;
  return wrongs.length === 0 && settled && left.length === 0 && answered > 0 && grown <= MOST_GROWTH_MB;
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}

function modesOf(mode: string | undefined): readonly Mode[] {
  if (mode === undefined) return ['aggregated', 'disaggregated'];
  if (mode === 'aggregated' || mode === 'disaggregated') return [mode];
  throw new Error(`--mode: aggregated or disaggregated, not "${mode}"`);
}

for (const mode of modesOf(values.mode))
  if (!(await soak(mode, Number(values.minutes)))) process.exitCode = 1;
