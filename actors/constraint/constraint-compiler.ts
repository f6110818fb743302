/**
 * Compiles the constraints of requests for a processor, each once: those that come again are kept, within a number of bytes, the
 * least used given up first. What takes a few milliseconds is compiled on the processor's thread, with a turn of the event loop
 * before each; what takes more on a thread of its own, so that nobody else's tokens wait for it.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import { workingOn } from '../../runtime/thread/this-thread.ts';
import { unlessAborted } from '../../runtime/util/aborted.ts';
import { errorCodeOf } from '../../runtime/util/realms.ts';
import { InputError } from '../errors.ts';
import { mayBlameTool, type ToolsToBlame, together } from './blame-tool.ts';
import { type ConstraintToCompile, compileForAnswers } from './compile-for-answers.ts';
import { CompileThread, type CompileThreadOptions } from './compile-thread.ts';
import type { CompiledConstraint } from './compiled-constraint.ts';
import type { Constraint } from './constraint.ts';
import { constraintError } from './constraint-errors.ts';
import { grammarBytes } from './grammar/compiled-grammar.ts';

/** Bytes of compiled constraints that are kept. */
const CACHE_BYTES = 16 * 1024 * 1024;

/** Tried on the processor's thread: some 5 ms, about what a long prompt takes there, and enough for a schema of 5 KB. */
const SMALL_STEPS = 24_000;
/** As JSON, UTF-16 units; what is longer mostly has more than that many steps. */
const SMALL_LENGTH = 8_192;

/** One constraint being compiled, for all requests that ask for it meanwhile. */
interface Job {
  readonly result: Promise<CompiledConstraint | undefined>;
  /** Requests that wait for it. */
  waiting: number;
}

export class ConstraintCompiler {
  readonly #shownControls: readonly string[];
  readonly #thread: CompileThread;
  readonly #jobs = new Map<string, Job>();
  readonly #compiled = new LRUCache<string, CompiledConstraint>({
    maxSize: CACHE_BYTES,
    sizeCalculation: ({ grammar }, text) => grammarBytes(grammar) + 2 * text.length,
  });

  /**
   * @param shownControls texts of control tokens that an answer shows
   * @throws TroupeError `BUNDLED`
   */
  constructor(shownControls: readonly string[], thread: CompileThreadOptions = {}) {
    this.#shownControls = shownControls;
    this.#thread = new CompileThread(thread);
  }

  /**
   * @param requestId whose it is, to be blamed if it never ends
   * @throws InputError CONSTRAINT_INVALID, CONSTRAINT_UNSUPPORTED, CONSTRAINT_TOO_LARGE; the signal's reason
   */
  async compile(constraint: Constraint, requestId: string, signal: AbortSignal): Promise<CompiledConstraint> {
    const text = jsonOf(constraint);
    const task = { constraint, shownControls: this.#shownControls };
    for (;;) {
      const known = this.#compiled.get(text);
      if (known !== undefined) return known;
      const job = this.#jobs.get(text) ?? this.#begin(task, text, requestId);
      job.waiting += 1;
      try {
        const compiled = await unlessAborted(job.result, signal);
        if (compiled !== undefined) return compiled;
        // It was left out just when this request came to wait for it.
      } finally {
        job.waiting -= 1;
      }
    }
  }

  /**
   * @param error of compiling the constraint of a request
   * @returns the same about what the caller wrote, who knows nothing of what was made of it
   */
  async blamed(error: unknown, asked: ToolsToBlame, signal: AbortSignal): Promise<unknown> {
    if (!(error instanceof InputError) || !mayBlameTool(asked)) return error;
    const { tools, toolChoice, constraint } = asked;
    const task = { code: error.code, asked: { tools, toolChoice, constraint } };
    try {
      await unlessAborted(
        this.#thread.blame(task, () => !signal.aborted),
        signal,
      );
      return error;
    } catch (found) {
      const isOurs = found instanceof InputError && found.details?.field === 'constraint';
      return isOurs ? together(found.code, tools?.length ?? 0) : found;
    }
  }

  /** Ends the thread. */
  async close(): Promise<void> {
    await this.#thread.close();
  }

  #begin(task: ConstraintToCompile, text: string, requestId: string): Job {
    const { promise: result, resolve } = Promise.withResolvers<CompiledConstraint | undefined>();
    const job: Job = { result, waiting: 0 };
    this.#jobs.set(text, job);
    result.catch(() => undefined); // those who waited for it may have left
    const kept = this.#work(task, text, requestId, () => job.waiting > 0).then((compiled) => {
      if (compiled !== undefined) this.#compiled.set(text, compiled);
      return compiled;
    });
    resolve(kept.finally(() => this.#jobs.delete(text)));
    return job;
  }

  async #work(task: ConstraintToCompile, text: string, requestId: string, isWanted: () => boolean) {
    if (text.length <= SMALL_LENGTH) {
      await nextTurn();
      const small = workingOn(requestId, () => smallConstraint(task));
      if (small !== undefined) return small;
    }
    return await this.#thread.compile(task, isWanted);
  }
}

/** Undefined when it takes more steps than are taken here. @throws InputError as compiling does */
function smallConstraint(task: ConstraintToCompile): CompiledConstraint | undefined {
  try {
    return compileForAnswers(task, SMALL_STEPS);
  } catch (error) {
    if (errorCodeOf(error) === 'CONSTRAINT_TOO_LARGE') return undefined;
    throw error;
  }
}

/** It has been cloned from another thread: it may refer to itself, or hold what JSON cannot say. */
function jsonOf(constraint: unknown): string {
  try {
    return JSON.stringify(constraint) ?? '';
  } catch (error) {
    throw constraintError({
      code: 'CONSTRAINT_INVALID',
      field: 'constraint',
      problem: 'is not JSON',
      value: String(error),
      remedy: 'Give plain objects, lists, texts and numbers.',
    });
  }
}
