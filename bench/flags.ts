/** The command line of `npm run bench`. */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { PRECISIONS } from './generated-model/precision.ts';
import { ATTENTION_KINDS } from './generated-model/shape.ts';
import { SHAPE_NAMES } from './generated-model/shapes.ts';
import { defaultResultsFile } from './results.ts';
import type { SuiteOptions } from './suite.ts';
import { SUITES } from './suites/index.ts';

export interface RunFlags {
  readonly action: 'run' | 'help' | 'report' | 'make-model';
  readonly suites: readonly string[];
  readonly options: SuiteOptions;
  readonly resultsFile: string;
  /** Results of an earlier state, to report beside. */
  readonly beforeFile: string | undefined;
}

/** The command line cannot be understood. */
export class UsageError extends Error {}

export const HELP = `Usage: npm run bench -- [options]

Measures Troupe against its peers on this machine and prints medians and ratios.

Options:
  --suite NAME        run this suite only (repeatable)
  --quick             a short look, with a small generated model; not for publication
  --rounds N          turns of each side in suites on the generated model (default: the suite's own)
  --shape SHAPE       of the generated model: ${SHAPE_NAMES.join(', ')}
                      (default: ${SHAPE_NAMES[0]}); prefill and decode, too, then run on it
  --layers N          its decoder layers (default: 30, 4, 6; --quick: 2)
  --attention KIND    of the generated model: ${ATTENTION_KINDS.join(' or ')} (default: ${ATTENTION_KINDS[0]})
  --dtype DTYPE       of the generated model: ${PRECISIONS.join(', ')}; parity's: fp32 or q4 (default: the suite's own)
  --answer-tokens N   of throughput's 16 requests, which are then all that it runs (default: 128)
  --json FILE         where figures are added to (default: bench/results/latest.json; --quick: quick.json)
  --make-model        only make the generated model and print its directory
  --report            only write docs/benchmarks/ (Markdown, SVG) from the figures, named after --json FILE; --quick: beside quick.json
  --before FILE       for --report: figures of an earlier state, to show beside
  --help              show this

The generated model (random weights, 1.4 GB, the larger shapes up to 4 GB) is made once, into bench/.cache or the folder that the environment
variable TROUPE_BENCH_CACHE names. LLAMA_SERVER is the path of a llama.cpp server, which the suites with llama.cpp then start, too. All suites together take more than an hour on two cores, throughput alone half of it.

Suites:
${SUITES.map(({ name, description, shows }) => `  ${name.padEnd(21)} ${[description, shows].filter(Boolean).join('\n'.padEnd(25))}`).join('\n')}
`;

/** @throws UsageError */
export function parseFlags(args: string[]): RunFlags {
  const values = parsed(args);
  const quick = values.quick;
  const options = {
    quick,
    shape: oneOf('--shape', SHAPE_NAMES, values.shape),
    attention: oneOf('--attention', ATTENTION_KINDS, values.attention) ?? 'gqa',
    layers: positive('--layers', values.layers) ?? (quick ? 2 : undefined),
    dtype: oneOf('--dtype', PRECISIONS, values.dtype),
    rounds: positive('--rounds', values.rounds),
    answerTokens: positive('--answer-tokens', values['answer-tokens']),
  };
  const names = SUITES.map(({ name }) => name);
  const suites = (values.suite ?? names).map((name) => oneOf('--suite', names, name) ?? name);
  return {
    action: values.help ? 'help' : values.report ? 'report' : values['make-model'] ? 'make-model' : 'run',
    suites,
    options,
    resultsFile: resolve(values.json ?? defaultResultsFile({ quick })),
    beforeFile: values.before === undefined ? undefined : resolve(values.before),
  };
}

function parsed(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        suite: { type: 'string', multiple: true },
        quick: { type: 'boolean', default: false },
        rounds: { type: 'string' },
        shape: { type: 'string' },
        layers: { type: 'string' },
        attention: { type: 'string' },
        dtype: { type: 'string' },
        'answer-tokens': { type: 'string' },
        json: { type: 'string' },
        'make-model': { type: 'boolean', default: false },
        report: { type: 'boolean', default: false },
        before: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function oneOf<T extends string>(
  flag: string,
  allowed: readonly T[],
  value: string | undefined,
): T | undefined {
  if (value === undefined) return undefined;
  const found = allowed.find((one) => one === value);
  if (found === undefined) throw new UsageError(`${flag}: there is no "${value}", but ${allowed.join(', ')}`);
  return found;
}

function positive(flag: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const number = Number(value);
  if (!Number.isSafeInteger(number) || number < 1)
    throw new UsageError(`${flag}: "${value}" is no number above 0`);
  return number;
}
