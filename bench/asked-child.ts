/** A process of its own that says when it is ready and then answers one message after the other. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

/** A child that cannot start, or answer, says why. */
export interface ChildFailure {
  readonly failed: string;
  /** Of a `TroupeError`. */
  readonly code?: string;
}

export class ChildError extends Error {
  readonly code: string | undefined;

  constructor({ failed, code }: ChildFailure) {
    super(failed);
    this.code = code;
  }
}

export class AskedChild<Task extends object, Answer> {
  readonly #name: string;
  readonly #child: ChildProcess;

  private constructor(name: string, child: ChildProcess) {
    this.#name = name;
    this.#child = child;
  }

  /**
   * @param name what errors call it
   * @param args strings, as on a command line
   * @throws ChildError when it sends a `ChildFailure`, Error when it ends before it is ready
   */
  static async start<Task extends object, Answer>(
    name: string,
    script: URL,
    args: readonly string[],
  ): Promise<AskedChild<Task, Answer>> {
    const child = new AskedChild<Task, Answer>(name, fork(script, args));
    const first = await child.#nextMessage();
    if (isFailure(first)) {
      await child.stop();
      throw new ChildError(first);
    }
    return child;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  async ask(task: Task): Promise<Answer> {
    const answered = this.#nextMessage();
    this.#child.send(task);
    const answer = await answered;
    if (isFailure(answer)) throw new ChildError({ ...answer, failed: `${this.#name}: ${answer.failed}` });
    return answer as Answer; // the child sends nothing else after its start
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill();
    await exited;
  }

  async #nextMessage(): Promise<unknown> {
    const settled = new AbortController();
    const { signal } = settled;
    try {
      return await Promise.race([
        once(this.#child, 'message', { signal }).then(([message]: unknown[]) => message),
        once(this.#child, 'exit', { signal }).then(([code, killedBy]: unknown[]) => {
          throw new Error(`${this.#name} ended (${code ?? killedBy})`);
        }),
      ]);
    } finally {
      settled.abort();
    }
  }
}

/** What a child sends of an error. */
export function failureOf(error: unknown): ChildFailure {
  if (!(error instanceof Error)) return { failed: String(error) };
  const code = 'code' in error && typeof error.code === 'string' ? { code: error.code } : {};
  return { failed: error.message, ...code };
}

function isFailure(message: unknown): message is ChildFailure {
  return typeof message === 'object' && message !== null && 'failed' in message;
}
