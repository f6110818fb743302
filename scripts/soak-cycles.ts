/** `npm run soak:cycles`: starts, asks and stops an engine over and over in one process; its memory must not grow. */
import { spawnSync } from 'node:child_process';
import type { Mode } from '../src/chat-types.ts';
import { flagsOf } from './flags.ts';
import { type Memory, memory } from './soak/own-memory.ts';

/** The first cycles that are looked at: what is made once in a process has been made. */
const SETTLED = { from: 10, to: 20 };
/** The last ones, which may not have more. */
const LAST = 50;
const REPORT_EVERY = 10;
/** Far less than the 900 MB that an engine reserves. */
const MOST_RESERVED_MB = 256;
/** What comes and goes with the order in which threads run. With threads in any order it was 10 %, see docs/architecture.md. */
const MOST_ANONYMOUS_PERCENT = 6;

/**
 * What glibc and V8 do in any process that lives long, kept from starting: freeing a large block lets glibc keep larger ones from then
 * on; V8 doubles the young generation of a thread each time that as much as its size has survived in it, and collects old garbage,
 * 50 KB of a cycle, after hundreds of cycles.
 */
const HELD_STILL = {
  flags: ['--min-semi-space-size=8', '--max-semi-space-size=8', '--expose-gc'],
  env: { MALLOC_TRIM_THRESHOLD_: '131072', MALLOC_MMAP_THRESHOLD_: '131072' },
};

const HELP = `Usage: npm run soak:cycles -- [options]

Starts an engine, asks it about a picture and stops it, over and over in one process, with the built package. Shows the
process's reserved address space and its anonymous memory. The medians of the
last ${LAST} cycles may not be above those of cycles ${SETTLED.from} to ${SETTLED.to}: by ${MOST_RESERVED_MB} MB reserved and ${MOST_ANONYMOUS_PERCENT} % anonymous at most. glibc's
thresholds and V8's young generation keep the size that they begin with, and garbage on the caller's thread is collected after
each cycle, so that what grows is what somebody holds. Linux only.

Options:
  --cycles N   in each mode (default: 200, at least ${SETTLED.to + LAST})
  --mode M     aggregated or disaggregated (default: both, one after the other)
  --as-is      let glibc and V8 grow and collect as they do unless they are told otherwise
  --help       show this
`;

const values = flagsOf(HELP, {
  cycles: { type: 'string', default: '200' },
  mode: { type: 'string' },
  'as-is': { type: 'boolean', default: false },
});

/**
 * What users get: in each thread that runs the sources, Node loads what strips their types, which takes megabytes of
 * its own.
 */
async function builtPackage(): Promise<typeof import('../src/index.ts')> {
  return await import(new URL('../dist/src/index.js', import.meta.url).href);
}

async function cycle(mode: Mode): Promise<void> {
  const { Troupe } = await builtPackage();
  await using troupe = await Troupe.start({ mode });
  const { text } = await troupe.chat({
    messages: [
      {
        role: 'user',
        content: [
          { type: 'image', image: 'examples/four-shapes.png' },
          { type: 'text', text: 'What is in this image?' },
        ],
      },
    ],
  });
  if (text === '') throw new Error('the answer is empty');
}

async function soak(mode: Mode, cycles: number): Promise<boolean> {
  const readings: Memory[] = [];
  for (let count = 1; count <= cycles; count++) {
    await cycle(mode);
    globalThis.gc?.();
    const now = memory();
    readings.push(now);
    if (count === 1 || count % REPORT_EVERY === 0)
      console.log(`${mode}, cycle ${count}: reserved ${now.reserved} MB, anonymous ${now.anonymous} MB`);
  }
  const settled = medians(readings.slice(SETTLED.from - 1, SETTLED.to));
  const last = medians(readings.slice(-LAST));
  const reserved = last.reserved - settled.reserved;
  const percent = 100 * (last.anonymous / settled.anonymous - 1);
  const flat = reserved <= MOST_RESERVED_MB && percent <= MOST_ANONYMOUS_PERCENT;
  console.log(
    `${mode}, medians of cycles ${SETTLED.from} to ${SETTLED.to} and of the last ${LAST}: ` +
      `reserved ${settled.reserved} and ${last.reserved} MB, ` +
      `anonymous ${settled.anonymous} and ${last.anonymous} MB (${percent < 0 ? '' : '+'}${percent.toFixed(1)} %): ${flat ? 'flat' : 'NOT FLAT'}`,
  );
  return flat;
}

function medians(readings: readonly Memory[]): Memory {
  const middle = (values: readonly number[]) =>
    values.toSorted((one, other) => one - other)[values.length >> 1] ?? Number.NaN;
  return {
    reserved: middle(readings.map(({ reserved }) => reserved)),
    anonymous: middle(readings.map(({ anonymous }) => anonymous)),
  };
}

function modesOf(mode: string | undefined): readonly Mode[] {
  if (mode === undefined) return ['aggregated', 'disaggregated'];
  if (mode === 'aggregated' || mode === 'disaggregated') return [mode];
  throw new Error(`--mode: aggregated or disaggregated, not "${mode}"`);
}

const cycles = Number(values.cycles);
if (!(Number.isSafeInteger(cycles) && cycles >= SETTLED.to + LAST))
  throw new Error(`--cycles: a whole number of at least ${SETTLED.to + LAST}, not "${values.cycles}"`);
const modes = modesOf(values.mode);
if (values['as-is']) {
  for (const mode of modes) if (!(await soak(mode, cycles))) process.exitCode = 1;
} else {
  const args = [...HELD_STILL.flags, ...process.argv.slice(1), '--as-is'];
  const env = { ...process.env, ...HELD_STILL.env }; // which glibc reads when a process begins
  process.exitCode = spawnSync(process.execPath, args, { env, stdio: 'inherit' }).status ?? 1;
}
