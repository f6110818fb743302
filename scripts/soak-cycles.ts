/** `npm run soak:cycles`: starts, asks and stops an engine over and over in one process; its memory must not grow. */
import type { Mode } from '../src/chat-types.ts';
import { flagsOf } from './flags.ts';
import { type Memory, memory } from './soak/own-memory.ts';

/** From here on memory must be flat: what is made once in a process has been made. */
const SETTLED_AT = 10;
const REPORT_EVERY = 10;
/**
 * What users get: in each thread that runs the sources, Node loads what strips their types, which takes megabytes of
 * its own.
 */
const { Troupe } = (await import(
  new URL('../dist/src/index.js', import.meta.url).href
)) as typeof import('../src/index.ts'); // the same, built

/** Far less than the 900 MB that an engine reserves. */
const MOST_RESERVED_MB = 256;
/** What malloc keeps for threads that come and go, and garbage that V8 has not collected yet; see docs/architecture.md. */
const MOST_ANONYMOUS_MB = 80;

const HELP = `Usage: npm run soak:cycles -- [options]

Starts an engine, asks it about a picture and stops it, over and over in one process, without forcing garbage
collections, with the built package. Shows the process's reserved address space and its anonymous memory, which may not grow after the tenth
time: by ${MOST_RESERVED_MB} MB and ${MOST_ANONYMOUS_MB} MB at most. Linux only.

Options:
  --cycles N   in each mode (default: 200)
  --mode M     aggregated or disaggregated (default: both, one after the other)
  --help       show this
`;

const values = flagsOf(HELP, {
  cycles: { type: 'string', default: '200' },
  mode: { type: 'string' },
});

async function cycle(mode: Mode): Promise<void> {
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
  let settled: Memory | undefined;
  let now = memory();
  for (let count = 1; count <= cycles; count++) {
    await cycle(mode);
    now = memory();
    if (count === SETTLED_AT) settled = now;
    if (count === 1 || count % REPORT_EVERY === 0)
      console.log(`${mode}, cycle ${count}: reserved ${now.reserved} MB, anonymous ${now.anonymous} MB`);
  }
  if (settled === undefined) throw new Error(`--cycles: at least ${SETTLED_AT}`);
  const reserved = now.reserved - settled.reserved;
  const anonymous = now.anonymous - settled.anonymous;
  const flat = reserved <= MOST_RESERVED_MB && anonymous <= MOST_ANONYMOUS_MB;
  console.log(
    `${mode}: since cycle ${SETTLED_AT} reserved ${reserved} MB and anonymous ${anonymous} MB more: ${flat ? 'flat' : 'NOT FLAT'}`,
  );
  return flat;
}

function modesOf(mode: string | undefined): readonly Mode[] {
  if (mode === undefined) return ['aggregated', 'disaggregated'];
  if (mode === 'aggregated' || mode === 'disaggregated') return [mode];
  throw new Error(`--mode: aggregated or disaggregated, not "${mode}"`);
}

for (const mode of modesOf(values.mode)) if (!(await soak(mode, Number(values.cycles)))) process.exitCode = 1;
