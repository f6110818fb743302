/** A process of its own that says when it is ready and then answers one message after the other. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

/** A child that could not start says why before it ends. */
export interface StartFailure {
  readonly failed: string;
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
   * @throws Error when it ends, or sends a `StartFailure`, before it is ready
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
      throw new Error(first.failed);
    }
    return child;
  }

  async ask(task: Task): Promise<Answer> {
    const answered = this.#nextMessage();
    this.#child.send(task);
    const answer = await answered;
    if (isFailure(answer)) throw new Error(`${this.#name}: ${answer.failed}`);
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

function isFailure(message: unknown): message is StartFailure {
  return typeof message === 'object' && message !== null && 'failed' in message;
}
