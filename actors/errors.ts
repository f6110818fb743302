/**
 * Failures of the model actors. `InputError`: the caller's request or configuration is wrong and names what to
 * change. `ModelError`: the model directory cannot be used. Both end a command line with exit code 2.
 */
import { TroupeError } from '../runtime/errors.ts';
import { registerErrorClass } from '../runtime/wire/error-codec.ts';

/** What an `InputError` says of the value that is wrong; found again in its `details`. */
export interface InputErrorFacts {
  /** Where the value sits, as the caller wrote it: `messages[0].content[1].image`, `--mode`. */
  readonly field: string;
  /** The offending value, shortened to something printable on one line. */
  readonly value: string | number | boolean | null;
  /** What to do instead, one sentence. */
  readonly remedy: string;
}

/** The request is wrong. Message: one line, `<field>: <problem> (<value>). <remedy>`. */
export class InputError extends TroupeError {
  static override readonly name: string = 'InputError';
  /** Always `InputError`. */
  override readonly name = 'InputError';

  /**
   * Made where the fault is found.
   *
   * @param code stable, SCREAMING_SNAKE_CASE
   *
   * @param problem what is wrong with the value, as the middle of a sentence
   */
  constructor(code: string, problem: string, facts: InputErrorFacts, cause?: unknown) {
    super(`${facts.field}: ${problem} (${printable(facts.value)}). ${facts.remedy}`, {
      code,
      details: { ...facts },
      cause,
    });
  }
}

/** The model directory is missing something, is corrupt, or cannot run in the mode asked for. */
export class ModelError extends TroupeError {
  static override readonly name: string = 'ModelError';
  /** Always `ModelError`. */
  override readonly name = 'ModelError';

  /**
   * Made where the fault is found.
   *
   * @param code stable, SCREAMING_SNAKE_CASE
   *
   * @param problem the beginning of a sentence that ends with the path
   */
  constructor(
    code: string,
    problem: string,
    facts: { readonly path: string; readonly remedy: string },
    cause?: unknown,
  ) {
    super(`${problem}: ${facts.path}. ${facts.remedy}`, { code, details: { ...facts }, cause });
  }
}

const PRINTABLE_LENGTH = 80;

/** One short line for any value; control characters are escaped so that an error cannot forge a log line. */
export function printable(value: string | number | boolean | null): string {
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return text.length <= PRINTABLE_LENGTH ? text : `${text.slice(0, PRINTABLE_LENGTH - 1)}…`;
}

registerErrorClass(InputError);
registerErrorClass(ModelError);
