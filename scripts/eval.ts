/** `npm run eval`: the held-out test sets through the public API, and the share of right answers per skill. */
import Table from 'cli-table3';
import spinner from 'yocto-spinner';
import { z } from 'zod';
import { StandardOutput } from '../src/cli/standard-output.ts';
import { MODES, Troupe, type TroupeOptions } from '../src/index.ts';
import { readHeldOut, SKILLS, type Skill } from './eval/held-out.ts';
import { type Score, score } from './eval/score.ts';
import { flagsOf } from './flags.ts';

const DTYPES = ['fp32', 'q4'] as const;

const HELP = `Usage: npm run eval [-- options]

Asks the embedded model the held-out questions in models/eval, greedily, and prints how many conversations it
gets right, word for word. Pictures, fonts and words are none that the model was trained on.

Options:
  --skill SKILL    ${SKILLS.join(', ')}; may be repeated; all of them unless given
  --dtype DTYPE    ${DTYPES.join(', ')}; may be repeated; both unless given
  --mode MODE      ${MODES.join(' or ')}; the first unless given
  --limit N        at most N items of each skill
  --failures       print each wrong answer
  --json           print one JSON object, wrong answers included
  --help           show this
`;

const values = flagsOf(HELP, {
  skill: { type: 'string', multiple: true, default: [...SKILLS] },
  dtype: { type: 'string', multiple: true, default: [...DTYPES] },
  mode: { type: 'string', default: 'aggregated' },
  limit: { type: 'string' },
  failures: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
});

const output = new StandardOutput();
await evaluate();

async function evaluate(): Promise<void> {
  const skills = z.array(z.enum(SKILLS)).parse(values.skill);
  const dtypes = z.array(z.enum(DTYPES)).parse(values.dtype);
  const mode = z.enum(['aggregated', 'disaggregated']).parse(values.mode);
  const limit = z.coerce.number().int().min(1).optional().parse(values.limit);
  const sets = await readHeldOut(skills, limit);
  const scores = new Map<string, ReadonlyMap<Skill, Score>>();
  for (const dtype of dtypes) scores.set(dtype, await scoreAll({ mode, dtype }, sets));
  if (values.json) {
    const plain = [...scores].map(([dtype, bySkill]) => [dtype, Object.fromEntries(bySkill)]);
    return await output.write(`${JSON.stringify(Object.fromEntries(plain))}\n`);
  }
  if (values.failures) await output.write(failuresOf(scores));
  await output.write(`${tableOf(skills, scores)}\n`);
}

async function scoreAll(
  options: TroupeOptions,
  sets: Awaited<ReturnType<typeof readHeldOut>>,
): Promise<ReadonlyMap<Skill, Score>> {
  const scores = new Map<Skill, Score>();
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
    scores.set(skill, await score(troupe, items, onItem));
  }
  progress.stop();
  return scores;
}

function tableOf(skills: readonly Skill[], scores: ReadonlyMap<string, ReadonlyMap<Skill, Score>>): string {
  const table = new Table({
    head: ['skill', 'items', ...[...scores.keys()].map((dtype) => `right, ${dtype}`)],
    colAligns: ['left', 'right', ...[...scores.keys()].map(() => 'right' as const)],
    style: { head: [], border: [] },
  });
  for (const skill of skills) {
    const cells = [...scores.values()].map((bySkill) => bySkill.get(skill));
    table.push([
      skill,
      cells[0]?.items ?? 0,
      ...cells.map((cell) => (cell === undefined ? '' : percent(cell))),
    ]);
  }
  return table.toString();
}

function percent({ right, items }: Score): string {
  return `${((100 * right) / items).toFixed(1)} %`;
}

function failuresOf(scores: ReadonlyMap<string, ReadonlyMap<Skill, Score>>): string {
  const lines: string[] = [];
  for (const [dtype, bySkill] of scores) {
    for (const [skill, { failures }] of bySkill) {
      for (const { item, question, expected, answer } of failures) {
        lines.push(`${dtype} ${skill} ${item}: ${question} — expected ${expected} — answered ${answer}\n`);
      }
    }
  }
  return lines.join('');
}
