/**
 * Where log lines go: a file descriptor, written off the main thread, one write at a time. Logging never holds the server
 * up and never ends it: what cannot be written (a full disk, a closed terminal, a pipe whose reader has gone) is dropped,
 * and tried anew a second later; when it works again, a line says how many were lost. So is what a slow reader does not
 * take, beyond a bound.
 */
import { write, writeSync } from 'node:fs';
import process from 'node:process';
import { errorCodeOf } from '../../../runtime/util/realms.ts';
import { quietPause } from '../../../runtime/util/timers.ts';

/** Lines that wait for a slow reader, in bytes; more are dropped. */
const MOST_WAITING_BYTES = 4 * 1024 * 1024;
/** Between two tries where nothing can be written, ms. */
const RETRY_MS = 1_000;
/** Where the reader is only slow (`EAGAIN`), ms. */
const SLOW_MS = 20;

export interface LogDestinationOptions {
  /** Default: standard output. */
  readonly descriptor?: number;
  /** The line that tells of lost ones, without its end. */
  readonly lostLine: (lines: number) => string;
  /** As `fs.write`. */
  readonly write?: (descriptor: number, bytes: Uint8Array) => Promise<number>;
  /** Resolves after so many ms. Default: a timer that does not keep the process. */
  readonly wait?: (ms: number) => Promise<unknown>;
}

export class LogDestination {
  readonly #descriptor: number;
  readonly #options: LogDestinationOptions;
  #waiting: string[] = [];
  #waitingBytes = 0;
  #lost = 0;
  #writing = false;
  #broken = false;
  /** The last thing that went out was a part of a line. */
  #midLine = false;
  readonly #onExit = () => this.#lastWords();

  constructor(options: LogDestinationOptions) {
    this.#descriptor = options.descriptor ?? 1;
    this.#options = options;
    process.on('exit', this.#onExit);
  }

  /** Takes a line with its end. */
  write(line: string): void {
    const bytes = Buffer.byteLength(line);
    if (this.#waitingBytes + bytes > MOST_WAITING_BYTES) {
      this.#lost += 1;
      return;
    }
    this.#waiting.push(line);
    this.#waitingBytes += bytes;
    if (!this.#writing) void this.#pump();
  }

  async #pump(): Promise<void> {
    this.#writing = true;
    await Promise.resolve(); // what is logged in one go is written in one
    while (this.#waiting.length > 0) {
      const lines = this.#take();
      const isOut = await this.#writeAll(lines);
      if (isOut) continue;
      const { wait = quietPause } = this.#options;
      await wait(RETRY_MS);
      this.#broken = false;
    }
    this.#writing = false;
  }

  #take(): string[] {
    const lines = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    return lines;
  }

  /** False when it cannot be written; it is then lost. */
  async #writeAll(lines: readonly string[]): Promise<boolean> {
    const { write: put = writeTo, wait = quietPause, lostLine } = this.#options;
    const lost = this.#lost;
    const news = lost === 0 ? '' : `${lostLine(lost)}\n`;
    const bytes = Buffer.from((this.#midLine ? '\n' : '') + news + lines.join(''));
    let at = 0;
    while (at < bytes.length) {
      try {
        at += await put(this.#descriptor, bytes.subarray(at));
        this.#midLine = bytes[at - 1] !== NEWLINE;
      } catch (error) {
        if (isSlow(error)) {
          await wait(SLOW_MS);
          continue;
        }
        this.#lost += lines.length;
        this.#broken = true;
        return false;
      }
    }
    this.#lost -= lost;
    return true;
  }

  /** The process ends at once: one try, which must not wait. */
  #lastWords(): void {
    if (this.#broken || this.#writing || this.#waiting.length === 0) return;
    try {
      writeSync(this.#descriptor, this.#take().join(''));
    } catch {
      // Nobody hears it.
    }
  }
}

const NEWLINE = 0x0a;

function isSlow(error: unknown): boolean {
  const code = errorCodeOf(error);
  return code === 'EAGAIN' || code === 'EINTR';
}

function writeTo(descriptor: number, bytes: Uint8Array): Promise<number> {
  return new Promise((resolve, reject) => {
    write(descriptor, bytes, (error, written) => (error === null ? resolve(written) : reject(error)));
  });
}
