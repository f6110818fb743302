/**
 * `node bench/product-pace.ts --before DIR`: requests a second of the whole engine, the embedded model, in this version and in another
 * checkout of the repository, both built (`npm run build`), in turn.
 */
import { median } from 'simple-statistics';
import { flagsOf } from '../scripts/flags.ts';
import { AskedChild } from './asked-child.ts';
import { table } from './measure.ts';
import { formatResult } from './print-table.ts';
import type { ProductAnswer, ProductTask } from './product-pace-child.ts';

const HELP = `Usage: node bench/product-pace.ts --before DIR [options]

Both versions have to be built (npm run build). Each request has one picture and at most 24 tokens of an answer.

Options:
  --before DIR      another checkout of this repository
  --mode M          aggregated or disaggregated (default: aggregated)
  --callers N,N     at once (default: 1,16,64)
  --same-picture    one picture for all, which both have seen before (default: each its own)
  --rounds N        of both versions in turn (default: 5)
  --help            show this
`;

const flags = flagsOf(HELP, {
  before: { type: 'string' },
  mode: { type: 'string', default: 'aggregated' },
  callers: { type: 'string', default: '1,16,64' },
  'same-picture': { type: 'boolean', default: false },
  rounds: { type: 'string', default: '5' },
});
const { before } = flags;
if (before === undefined) throw new Error('--before: the directory of another version is missing');
const callersAtOnce = flags.callers.split(',').map(Number);
const rounds = Number(flags.rounds);
for (const [flag, values] of [['--callers', callersAtOnce] as const, ['--rounds', [rounds]] as const])
  if (!values.every((value) => Number.isSafeInteger(value) && value > 0))
    throw new Error(`${flag}: whole numbers from 1, not "${values.join(',')}"`);

/** Requests of a turn: so many for a lone caller, and for each of several. */
const ALONE = 40;
const EACH = 10;

const here = new URL('..', import.meta.url).pathname;
const script = new URL('./product-pace-child.ts', import.meta.url);
const sides = [];
for (const [name, directory] of [['before', before] as const, ['now', here] as const]) {
  const child = await AskedChild.start<ProductTask, ProductAnswer>(name, script, [directory, flags.mode]);
  sides.push({ name, child });
}

let pictures = 0;
for (const callers of callersAtOnce) {
  const turns = sides.map((): ProductAnswer[] => []);
  const requests = callers === 1 ? ALONE : EACH * callers;
  for (let round = 0; round <= rounds; round++) {
    const task = { callers, requests, firstPicture: flags['same-picture'] ? undefined : pictures };
    pictures += requests;
    for (const [index, { child }] of sides.entries()) {
      const answer = await child.ask(task);
      if (round > 0) turns[index]?.push(answer); // the first one warms up
    }
  }
  const title = `Requests, ${callers === 1 ? 'one caller' : `${callers} callers`}`;
  const measured = sides.map(({ name }, index) => ({
    name,
    roundsMs: (turns[index] ?? []).map(({ ms }) => ms),
  }));
  const processor = sides.map(({ name }, index) => ({
    name,
    value: median((turns[index] ?? []).map(({ cpuMs }) => cpuMs)),
    unit: ' ms',
  }));
  const figures = [{ title: `Processor time of a request, ${title.toLowerCase()}`, rows: processor }];
  console.log(formatResult({ tables: [table(title, 'request', measured)], figures }));
}
for (const { child } of sides) await child.stop();
