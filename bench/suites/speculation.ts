/**
 * Answers that draft themselves against answers that do not, on the embedded model's held-out questions: each question is
 * asked once, of all engines in turn, so that no engine has heard it before. Answers have to be equal.
 */
import { sum } from 'simple-statistics';
import { SPECULATION } from '../../actors/pd/speculation/speculation-options.ts';
import { type Item, readHeldOut } from '../../scripts/eval/held-out.ts';
import { questionOf } from '../../scripts/eval/layouts.ts';
import { type ChatResult, Troupe } from '../../src/index.ts';
import { longCalls, ratioOf, table } from '../measure.ts';
import type { Claim, Suite, Table } from '../suite.ts';

const OFF = 'off';
const KINDS = [OFF, ...SPECULATION.filter((kind) => kind !== OFF)] as const;
type Kind = (typeof KINDS)[number];
const SKILLS = {
  description: 'descriptions',
  'receipt-json': 'receipts as JSON',
  scene: 'short answers',
} as const;
const CALLERS: readonly number[] = [1, 4, 16];
const QUICK_CALLERS: readonly number[] = [4];
/** Of each round. */
const ITEMS = 32;
const QUICK_ITEMS = 8;

/** Milliseconds that a round's questions took, and their decode steps by themselves. */
interface Times {
  readonly whole: number;
  readonly decode: number;
}

export const speculationSuite: Suite = {
  name: 'speculation',
  description:
    'answers that draft themselves (own text, all answers) against those that do not, 1 to 16 callers',
  shows: 'one caller: decode >= 1.5x on descriptions and receipts; >= 1.0x everywhere, the answers equal',
  async run(options) {
    const { rounds } = longCalls(options, 7);
    const count = options.quick ? QUICK_ITEMS : ITEMS;
    const loads = options.quick ? QUICK_CALLERS : CALLERS;
    const sets = await readHeldOut(['description', 'receipt-json', 'scene'], rounds * count * loads.length);
    const dtype = options.dtype === 'q4' ? 'q4' : 'fp32';
    const tables: Table[] = [];
    const claims: Claim[] = [];
    for (const [skill, name] of Object.entries(SKILLS)) {
      const items = sets.get(skill as keyof typeof SKILLS) ?? [];
      for (const [turn, callers] of loads.entries()) {
        const asked = items.slice(turn * rounds * count, (turn + 1) * rounds * count);
        const { whole, decode } = await compare(
          `${name}, ${callers} at once, ${dtype}`,
          asked,
          callers,
          rounds,
          dtype,
        );
        tables.push(whole, decode);
        const claim = (of: Table, what: string, atLeast: number): Claim => ({
          text: `${what}, ${name}, ${callers} at once, drafted from all answers`,
          measured: ratioOf(of, 'auto'),
          unit: '×',
          goal: { atLeast },
        });
        claims.push(claim(whole, 'Whole requests a second', 1));
        if (callers === 1 && skill !== 'scene') claims.push(claim(decode, 'Decoding', 1.5));
      }
    }
    return { tables, claims };
  },
};

async function compare(
  title: string,
  items: readonly Item[],
  callers: number,
  rounds: number,
  dtype: 'fp32' | 'q4',
): Promise<{ whole: Table; decode: Table }> {
  const engines = new Map<Kind, Troupe>();
  const times = new Map<Kind, Times[]>(KINDS.map((kind) => [kind, []]));
  const count = Math.floor(items.length / rounds);
  try {
    for (const speculation of KINDS)
      engines.set(speculation, await Troupe.start({ dtype, pd: { speculation } }));
    for (let round = 0; round < rounds; round++) {
      const asked = items.slice(round * count, (round + 1) * count);
      const gone = new Map<Kind, Times>(KINDS.map((kind) => [kind, { whole: 0, decode: 0 }]));
      for (let from = 0; from < asked.length; from += callers) {
        await turn(asked.slice(from, from + callers), from / callers, engines, gone);
      }
      for (const [kind, took] of gone) times.get(kind)?.push(took);
    }
  } finally {
    for (const engine of engines.values()) await engine.stop();
  }
  const column = (of: keyof Times) =>
    KINDS.map((name) => ({ name, roundsMs: (times.get(name) ?? []).map((took) => took[of] / count) }));
  return {
    whole: table(`Requests, ${title}`, 'request', column('whole')),
    decode: table(`Decoding alone, ${title}`, 'answer', column('decode')),
  };
}

/** The same questions to every engine, another one first each time. @throws Error when answers differ */
async function turn(
  items: readonly Item[],
  turns: number,
  engines: ReadonlyMap<Kind, Troupe>,
  gone: Map<Kind, Times>,
): Promise<void> {
  const texts = new Set<string>();
  for (let index = 0; index < KINDS.length; index++) {
    const kind = KINDS[(index + turns) % KINDS.length] ?? OFF;
    const engine = engines.get(kind);
    const before = gone.get(kind);
    if (engine === undefined || before === undefined) throw new Error(`no engine for ${kind}`);
    const startedAt = performance.now();
    const answers = await Promise.all(items.map((item) => ask(engine, item)));
    const whole = before.whole + performance.now() - startedAt;
    gone.set(kind, { whole, decode: before.decode + sum(answers.map(decodeMs)) });
    texts.add(answers.map(({ text }) => text).join('\n'));
  }
  if (texts.size > 1) throw new Error(`answers differ: ${[...texts].join(' | ')}`);
}

function ask(engine: Troupe, { images, turns: [first] }: Item): Promise<ChatResult> {
  const messages = [questionOf('picture-text', first?.question ?? '', images)];
  return engine.chat({ messages, temperature: 0 });
}

function decodeMs({ timings, usage }: ChatResult): number {
  return timings.interTokenMs * Math.max(0, usage.completionTokens - 1);
}
