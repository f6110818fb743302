/**
 * Standard output as a command sees it: text goes out in order, waiting for a slow reader, and a reader that has
 * gone away (`troupe ask … | head -1`) is no failure but the end of the work. What cannot be written, on a disk that is
 * full say, is one: a command that printed half of its answer has not succeeded.
 */
import { once } from 'node:events';
import { fstatSync, writeSync } from 'node:fs';
import process from 'node:process';
import { TroupeError } from '../../runtime/errors.ts';

export class StandardOutput {
  readonly #stream = process.stdout;
  readonly #isFile = !process.stdout.isTTY && isFile(process.stdout.fd);
  readonly #closed = new AbortController();
  #failure: TroupeError | undefined;
  #isUsed = false;

  constructor() {
    this.#stream.on('error', (error: NodeJS.ErrnoException) => this.#onError(error));
    // Nobody reads what goes there: there is nobody to tell.
    process.stderr.on('error', () => undefined);
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
    if (!this.queue(text)) await once(this.#stream, 'drain', { signal: this.closed }).catch(() => undefined);
  }

  /** Writes without waiting. False when a slow reader should be waited for. */
  queue(text: string): boolean {
    if (this.closed.aborted) return true;
    this.#isUsed = true;
    if (!this.#isFile) return this.#stream.write(text);
    this.#writeFile(Buffer.from(text));
    return true;
  }

  /** Resolves when all that was written is out, or cannot be. */
  async flush(): Promise<void> {
    if (this.closed.aborted || this.#isFile || !this.#isUsed) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#stream.write('', () => resolve());
    this.closed.addEventListener('abort', () => resolve(), { once: true });
    await promise;
    await new Promise(setImmediate); // an error of the last write comes in a turn of its own
  }

  /** Node's own stream takes a write that a full disk cut short for done. */
  #writeFile(bytes: Uint8Array): void {
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#stream.fd, bytes, at);
    } catch (error) {
      this.#onError(error as NodeJS.ErrnoException); // of the system call
    }
  }

  #onError(error: NodeJS.ErrnoException): void {
    if (error.code !== 'EPIPE') {
      this.#failure ??= new TroupeError(
        `standard output cannot be written (${error.code ?? error.message})`,
        {
          code: 'OUTPUT_FAILED',
          cause: error,
        },
      );
    }
    this.#closed.abort(error);
  }
}

/** A file, or a device that is none of a terminal; not a pipe. */
function isFile(descriptor: number): boolean {
  try {
    const stat = fstatSync(descriptor);
    return stat.isFile() || stat.isCharacterDevice();
  } catch {
    return false; // closed
  }
}
