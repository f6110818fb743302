/**
 * The command line, from arguments to an exit code. Whatever a command throws becomes one line on stderr and,
 * with `--json`, one object on stdout; being interrupted, or losing the reader of the output, is no error.
 */
import process from 'node:process';
import { CommanderError } from 'commander';
import { InputError } from '../../actors/errors.ts';
import { areThreadsLeftBehind } from '../left-behind.ts';
import { EXIT, errorCodeOf, errorLine, errorMessageOf, exitCodeOf } from './exit.ts';
import { Interrupt } from './interrupt.ts';
import { createProgram } from './program.ts';
import { StandardOutput } from './standard-output.ts';

export async function main(args: readonly string[]): Promise<number> {
  const output = new StandardOutput();
  const interrupt = new Interrupt();
  output.closed.addEventListener('abort', () => interrupt.abort(output.closed.reason));
  try {
    const program = await createProgram({ output, interrupt }, args);
    if (args.length === 0) program.outputHelp();
    else await program.parseAsync(args, { from: 'user' });
    await output.flush();
    if (output.failure !== undefined) throw output.failure;
    return EXIT.ok;
  } catch (error) {
    await output.flush();
    if (interrupt.exitCode !== undefined) return interrupt.exitCode;
    if (output.closed.aborted && output.failure === undefined) return EXIT.ok;
    const printed = error instanceof CommanderError && error.exitCode === 0; // help or version
    if (printed && output.failure === undefined) return EXIT.ok;
    const failure = output.failure ?? usageError(error);
    if (wantsJson(args)) await output.write(`${JSON.stringify(errorObject(failure))}\n`);
    process.stderr.write(`${errorLine(failure)}\n`);
    return exitCodeOf(failure);
  } finally {
    if (areThreadsLeftBehind()) interrupt.endAnyway();
    interrupt.dispose();
  }
}

/** Read from the arguments themselves: the error may be that they could not be parsed. */
function wantsJson(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  return args.slice(0, end === -1 ? args.length : end).includes('--json');
}

function errorObject(error: unknown): { error: { code: string; message: string } } {
  return { error: { code: errorCodeOf(error), message: errorMessageOf(error) } };
}

/** What commander says about wrong arguments, as an error of ours. */
function usageError(error: unknown): unknown {
  if (!(error instanceof CommanderError)) return error;
  const problem = error.message.replace(/^error: |\.$/g, '');
  return new UsageError(problem, error);
}

/** Commander's messages name the argument and its value already. */
class UsageError extends InputError {
  constructor(problem: string, cause: CommanderError) {
    const facts = { field: 'arguments', value: problem, remedy: 'See troupe --help.' };
    super('INVALID_ARGUMENT', problem, facts, cause);
    this.message = `${problem}. ${facts.remedy}`;
  }
}
