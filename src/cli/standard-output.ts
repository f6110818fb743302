/**
 * Standard output as a command sees it: text goes out in order, waiting for a slow reader, and a reader that has
 * gone away (`troupe ask … | head -1`) is no failure but the end of the work.
 */
import { once } from 'node:events';
import process from 'node:process';
import { TroupeError } from '../../runtime/errors.ts';

export class StandardOutput {
  readonly #stream = process.stdout;
  readonly #closed = new AbortController();
  #failure: TroupeError | undefined;

  constructor() {
    this.#stream.on('error', (error: NodeJS.ErrnoException) => this.#onError(error));
  }

  /** Aborted when nothing can be written any more. */
  get closed(): AbortSignal {
    return this.#closed.signal;
  }

  /** What broke the output; undefined when it works or its reader has left. */
  get failure(): TroupeError | undefined {
    return this.#failure;
  }

  /** Resolves when the text is taken or nobody takes it any more. */
  async write(text: string): Promise<void> {
    if (this.closed.aborted || this.#stream.write(text)) return;
    await once(this.#stream, 'drain', { signal: this.closed }).catch(() => undefined);
  }

  #onError(error: NodeJS.ErrnoException): void {
    if (error.code !== 'EPIPE') {
      this.#failure = new TroupeError(`standard output cannot be written (${error.code ?? error.message})`, {
        code: 'OUTPUT_FAILED',
        cause: error,
      });
    }
    this.#closed.abort(error);
  }
}
