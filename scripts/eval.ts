/** `npm run eval`: the held-out test sets through the public API, and the share of right answers per skill. */
import Table from 'cli-table3';
import spinner from 'yocto-spinner';
import { z } from 'zod';
import { PROMPT_PRODUCTS } from '../actors/model/prompt-products.ts';
import { StandardOutput } from '../src/cli/standard-output.ts';
import { MODES, Troupe, type TroupeOptions } from '../src/index.ts';
import { readHeldOut, SKILLS, type Skill } from './eval/held-out.ts';
import { LAYOUTS, type Layout } from './eval/layouts.ts';
import { type Score, score } from './eval/score.ts';
import { flagsOf } from './flags.ts';

const DTYPES = ['fp32', 'q4'] as const;

const HELP = `Usage: npm run eval [-- options]

Asks the embedded model the held-out questions in models/eval, greedily, and prints how many conversations it
gets right, word for word. Pictures, fonts, words and system messages are none that the model was trained on.

Options:
  --skill SKILL    ${SKILLS.join(', ')}; may be repeated; all of them unless given
  --layout LAYOUT  ${LAYOUTS.join(', ')};
                   may be repeated; all of them unless given. Where the text stands beside the pictures, and the
                   system message: none, "You are a helpful assistant." or "Be brief."
  --dtype DTYPE    ${DTYPES.join(', ')}; may be repeated; both unless given
  --prompt-products KIND
                   ${PROMPT_PRODUCTS.join(' or ')}: what products of prompts are made in; the first unless given
  --mode MODE      ${MODES.join(' or ')}; the first unless given
  --limit N        at most N items of each skill
  --failures       print each wrong answer
  --json           print one JSON object, wrong answers included
  --help           show this
`;

type Scores = ReadonlyMap<Skill, ReadonlyMap<Layout, Score>>;

const values = flagsOf(HELP, {
  skill: { type: 'string', multiple: true, default: [...SKILLS] },
  layout: { type: 'string', multiple: true, default: [...LAYOUTS] },
  dtype: { type: 'string', multiple: true, default: [...DTYPES] },
  'prompt-products': { type: 'string', default: PROMPT_PRODUCTS[0] },
  mode: { type: 'string', default: 'aggregated' },
  limit: { type: 'string' },
  failures: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
});

const output = new StandardOutput();
await evaluate();

async function evaluate(): Promise<void> {
  const skills = z.array(z.enum(SKILLS)).parse(values.skill);
  const layouts = z.array(z.enum(LAYOUTS)).parse(values.layout);
  const dtypes = z.array(z.enum(DTYPES)).parse(values.dtype);
  const mode = z.enum(['aggregated', 'disaggregated']).parse(values.mode);
  const promptProducts = z.enum(PROMPT_PRODUCTS).parse(values['prompt-products']);
  const limit = z.coerce.number().int().min(1).optional().parse(values.limit);
  const sets = await readHeldOut(skills, limit);
  const scores = new Map<string, Scores>();
  for (const dtype of dtypes)
    scores.set(dtype, await scoreAll({ mode, dtype, pd: { promptProducts } }, sets, layouts));
  if (values.json) {
    const plain = [...scores].map(([dtype, bySkill]) => [
      dtype,
      Object.fromEntries([...bySkill].map(([skill, byLayout]) => [skill, Object.fromEntries(byLayout)])),
    ]);
    return await output.write(`${JSON.stringify(Object.fromEntries(plain))}\n`);
  }
  if (values.failures) await output.write(failuresOf(scores));
  for (const [dtype, bySkill] of scores) await output.write(`${dtype}\n${tableOf(layouts, bySkill)}\n`);
}

async function scoreAll(
  options: TroupeOptions,
  sets: Awaited<ReturnType<typeof readHeldOut>>,
  layouts: readonly Layout[],
): Promise<Scores> {
  const scores = new Map<Skill, ReadonlyMap<Layout, Score>>();
  await using troupe = await Troupe.start(options);
  // A log would keep every frame.
  const progress = spinner({ stream: process.stderr });
  if (process.stderr.isTTY) progress.start();
  for (const [skill, items] of sets) {
    let done = 0;
    const onItem = () => {
      done += 1;
      if (progress.isSpinning) progress.text = `${options.dtype}: ${skill} ${done} of ${items.length}`;
    };
    scores.set(skill, await score(troupe, items, layouts, onItem));
  }
  progress.stop();
  return scores;
}

function tableOf(layouts: readonly Layout[], scores: Scores): string {
  const table = new Table({
    head: ['skill', 'items', ...layouts],
    colAligns: ['left', 'right', ...layouts.map(() => 'right' as const)],
    style: { head: [], border: [] },
  });
  for (const [skill, byLayout] of scores) {
    const cells = layouts.map((layout) => byLayout.get(layout));
    const items = cells[0]?.items ?? 0;
    table.push([skill, items, ...cells.map((cell) => (cell === undefined ? '' : percent(cell)))]);
  }
  return table.toString();
}

function percent({ right, items }: Score): string {
  return `${((100 * right) / items).toFixed(1)} %`;
}

function failuresOf(scores: ReadonlyMap<string, Scores>): string {
  const lines: string[] = [];
  for (const [dtype, bySkill] of scores) {
    for (const [skill, byLayout] of bySkill) {
      for (const [layout, { failures }] of byLayout) {
        for (const { item, question, expected, answer } of failures) {
          const what = `${dtype} ${skill} ${layout} ${item}`;
          lines.push(`${what}: ${question} — expected ${expected} — answered ${answer}\n`);
        }
      }
    }
  }
  return lines.join('');
}
