/** The flags of the commands, each declared once: how it is written, what it takes, what it means. */
import { Option } from 'commander';
import { InputError } from '../../actors/errors.ts';
import type { SamplingOptions } from '../../actors/generation.ts';
import { DEVICES } from '../../actors/inference/gpu/device.ts';
import { DTYPES, type Dtype } from '../../actors/model/graph-files.ts';
import { MODES } from '../chat-types.ts';
import { present, SAMPLING_FIELDS } from '../sampling-fields.ts';
import { type NumberRange, numberFlag } from './number-flag.ts';

/** What commander makes of the flags of `troupe ask` beside those of the engine; those not given are absent. */
export interface AskFlags extends Omit<SamplingOptions, 'stop'> {
  readonly image?: readonly string[];
  readonly system?: string;
  readonly stop?: readonly string[];
  /** A file with JSON Schema. */
  readonly schema?: string;
  readonly jsonSchema?: string;
  readonly choice?: readonly string[];
  /** Seconds. */
  readonly timeout?: number;
  readonly json?: true;
}

export interface PullFlags {
  readonly dtype?: Dtype;
  readonly json?: true;
}

export interface ListFlags {
  readonly json?: true;
}

function modelFlags(): Option[] {
  return [
    new Option(
      '--model <name>',
      'model directory, or name of a model on the Hub, owner/name[@revision] (default: the embedded model)',
    ),
    dtypeFlag(),
    new Option(
      '--prompt-template <text>',
      'a template with <image> and <prompt> in the place of the model’s chat template',
    ),
  ];
}

export function dtypeFlag(): Option {
  return choice('--dtype <name>', DTYPES, 'precision of the ONNX files (default: the best that is there)');
}

export function jsonFlag(): Option {
  return new Option('--json', 'print one JSON object');
}

export function askFlags(): Option[] {
  return [
    repeatable(
      '-i, --image <file>',
      'picture to ask about: a path, an http(s) or data: URL, or - for standard input',
    ),
    new Option('--system <text>', 'system message'),
    choice('--mode <mode>', MODES, `how the actors share the work (default: ${MODES[0]})`),
    choice('--device <name>', DEVICES, 'where the model runs (default: cpu)'),
    choice('--encoder-device <name>', DEVICES, 'where the encoder runs (disaggregated mode)'),
    choice('--pd-device <name>', DEVICES, 'where the language model runs'),
    ...modelFlags(),
    new Option('--schema <file>', 'file with the JSON Schema that the answer has to keep to'),
    new Option('--json-schema <text>', 'the same, given here'),
    repeatable('--choice <text>', 'a text that the answer may be; give it for each'),
    number('--max-tokens <n>', 'most tokens to generate', { whole: true, min: 1 }),
    number('--temperature <t>', '0 is greedy', { min: 0, max: 2 }),
    number('--top-k <k>', 'choose among the k likeliest tokens; 0 is all', { whole: true, min: 0 }),
    number('--top-p <p>', 'choose among the likeliest tokens that make up this probability', {
      above: 0,
      max: 1,
    }),
    number('--min-p <p>', 'drop tokens less likely than this share of the likeliest', { min: 0, max: 1 }),
    number('--repetition-penalty <x>', '1 is off', { min: 1e-6, max: 1e6 }),
    number('--presence-penalty <x>', '0 is off', { min: -2, max: 2 }),
    number('--frequency-penalty <x>', '0 is off', { min: -2, max: 2 }),
    number('--seed <n>', 'makes sampling repeatable', { whole: true, min: 0, max: 2 ** 32 - 1 }),
    repeatable('--stop <text>', 'end before this text'),
    number('--timeout <seconds>', 'give up after this time', { above: 0, max: 86_400 }),
    jsonFlag(),
  ];
}

export function samplingOf(flags: AskFlags): SamplingOptions {
  return present(flags, SAMPLING_FIELDS);
}

function number(flags: string, description: string, range: NumberRange): Option {
  return new Option(flags, description).argParser(numberFlag(nameOf(flags), range));
}

function repeatable(flags: string, description: string): Option {
  const collect = (value: string, earlier: readonly string[] = []) => [...earlier, value];
  return new Option(flags, `${description} (repeatable)`).argParser(collect);
}

function choice<T extends string>(flags: string, choices: readonly T[], description: string): Option {
  return new Option(flags, `${description}: ${choices.join(', ')}`).argParser((text): T => {
    const chosen = choices.find((candidate) => candidate === text);
    if (chosen !== undefined) return chosen;
    const facts = { field: nameOf(flags), value: text, remedy: `Give one of: ${choices.join(', ')}.` };
    throw new InputError('INVALID_ARGUMENT', 'is not a value it can take', facts);
  });
}

/** `--mode` of `--mode <mode>`. */
function nameOf(flags: string): string {
  return flags.split(' ')[0] ?? flags;
}
