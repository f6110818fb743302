/** `npm run soak:aborts`: requests that are left at every stage, in both modes, where each stage has the least room. */
import { setTimeout as pause, setImmediate as turn } from 'node:timers/promises';
import sharp from 'sharp';
import { TroupeError } from '../runtime/errors.ts';
import { type Mode, Troupe } from '../src/index.ts';
import { flagsOf } from './flags.ts';

const AT_ONCE = 40;
/** How long an engine that nobody asks may take to let go of everything. */
const SETTLE_MS = 10_000;

const HELP = `Usage: npm run soak:aborts -- [options]

Asks about pictures of which no two are equal, many at a time, and leaves most requests: before they are sent, while they
are prepared, encoded, handed over, waiting, answered. PD takes one request at a time and lets one wait. At the end every
actor must handle nothing and every arena be empty, in both modes.

Options:
  --minutes N   of both modes together (default: 10)
  --help        show this
`;

const values = flagsOf(HELP, { minutes: { type: 'string', default: '10' } });
const eachMs = (Number(values.minutes) * 60_000) / 2;

let pictures = 0;

/** A picture that was not asked about before. */
async function picture(): Promise<Uint8Array<ArrayBuffer>> {
  const n = ++pictures;
  const background = { r: n & 255, g: (n >> 8) & 255, b: (n >> 16) & 255 };
  return new Uint8Array(
    await sharp({ create: { width: 64, height: 64, channels: 3, background } })
      .png()
      .toBuffer(),
  );
}

/** When a request is left: from before it is sent to after some text, and never. */
const LEAVES = [
  'before',
  'at once',
  'after turns',
  'after a while',
  'at first text',
  'in a loop',
  'never',
] as const;

async function request(troupe: Troupe, longestMs: number): Promise<string> {
  const leaves = LEAVES[Math.floor(Math.random() * LEAVES.length)];
  const image = await picture();
  const abort = new AbortController();
  if (leaves === 'before') abort.abort();
  const stream = troupe.stream({
    messages: [
      {
        role: 'user',
        content: [
          { type: 'image', image },
          { type: 'text', text: 'What is in this image?' },
        ],
      },
    ],
    signal: abort.signal,
  });
  if (leaves === 'at once') abort.abort();
  if (leaves === 'after turns') {
    for (let turns = Math.random() * 50; turns > 0; turns--) await turn();
    abort.abort();
  }
  const late =
    leaves === 'after a while' ? pause(Math.random() * longestMs).then(() => abort.abort()) : undefined;
  try {
    for await (const _ of stream) {
      if (leaves === 'at first text') abort.abort();
      if (leaves === 'in a loop') break;
    }
    await stream.result;
    return 'answered';
  } catch (error) {
    return TroupeError.is(error) ? error.code : String(error);
  } finally {
    await late;
  }
}

/** What an idle engine still has in its hands. */
async function held(troupe: Troupe): Promise<string[]> {
  await troupe.clearCaches();
  const { actors, arenas } = await troupe.stats();
  return [
    ...actors.flatMap(({ name, stats }) =>
      ['handling', 'mailbox', 'running', 'waiting']
        .filter((count) => Number(stats?.[count] ?? 0) > 0)
        .map((count) => `${name} ${count} ${stats?.[count]}`),
    ),
    ...arenas.filter(({ tensors }) => tensors > 0).map(({ name, tensors }) => `${name} ${tensors} tensors`),
  ];
}

async function soak(mode: Mode): Promise<boolean> {
  await using troupe = await Troupe.start({ mode, pd: { maxRunning: 1, maxWaiting: 1 } });
  const endsAt = performance.now() + eachMs;
  const outcomes: Record<string, number> = {};
  let slowestMs = 100;
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (performance.now() < endsAt) {
        const startedAt = performance.now();
        const outcome = await request(troupe, slowestMs);
        if (outcome === 'answered') slowestMs = Math.max(slowestMs, performance.now() - startedAt);
        outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
      }
    }),
  );
  const idleSince = performance.now();
  let left = await held(troupe);
  while (left.length > 0 && performance.now() - idleSince < SETTLE_MS) {
    await pause(50);
    left = await held(troupe);
  }
  console.log(
    `${mode}: ${JSON.stringify(outcomes)}; ${left.length === 0 ? 'nothing is held' : left.join(', ')}`,
  );
  const unexpected = Object.keys(outcomes).filter((outcome) => !['answered', 'ABORTED'].includes(outcome));
  return left.length === 0 && unexpected.length === 0 && (outcomes.answered ?? 0) > 0;
}

const passed = [await soak('aggregated'), await soak('disaggregated')];
if (passed.includes(false)) process.exitCode = 1;
