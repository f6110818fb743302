/** Compiles large constraints on a thread of its own, for a processor that has others to serve meanwhile. */
import { move, transferableSymbol, valueSymbol } from 'piscina';
import { type Outcome, outcomeOf } from '../../runtime/thread/thread-control.ts';
import { blameTool, type ToolsToBlame } from './blame-tool.ts';
import { type ConstraintToCompile, compileForAnswers } from './compile-for-answers.ts';
import type { CompiledConstraint } from './compiled-constraint.ts';

/** An `Outcome<CompiledConstraint>` on the other side; its tables are handed over and not copied. */
export async function compile(task: ConstraintToCompile): Promise<ReturnType<typeof move>> {
  const outcome: Outcome<CompiledConstraint> = await outcomeOf(() => compileForAnswers(task));
  const tables = outcome.ok ? Object.values(outcome.value.grammar).filter(ArrayBuffer.isView) : [];
  const buffers = [...new Set(tables.map(({ buffer }) => buffer))];
  return move({ [transferableSymbol]: buffers, [valueSymbol]: outcome });
}

export interface FailureToBlame {
  /** Of the error of compiling. */
  readonly code: string;
  readonly asked: ToolsToBlame;
}

/** Fails with what is wrong, in the caller's own words. */
export async function blame({ code, asked }: FailureToBlame): Promise<Outcome<never>> {
  return await outcomeOf(() => {
    throw blameTool(code, asked);
  });
}
