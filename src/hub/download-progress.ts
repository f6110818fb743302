/** How far a download is: bytes, rate, and the time that is left, told a few times a second. */
import { guarded } from '../../runtime/util/events.ts';

/** How far a download has come. */
export interface DownloadProgress {
  /** Of all files together, those included that were there already in part. */
  readonly receivedBytes: number;
  /** What all files together have. */
  readonly totalBytes: number;
  /** Over the last seconds. */
  readonly bytesPerSecond: number;
  /** At this rate; absent in the first second, and while there is none. */
  readonly remainingSeconds?: number;
}

const TELL_EVERY_MS = 100;
/** Over which the rate is taken. */
const WINDOW_MS = 5_000;
/** From the first moments nothing follows for the rest. */
const TELLING_SECONDS = 1;

export class ProgressMeter {
  #totalBytes: number;
  readonly #tell: (progress: DownloadProgress) => void;
  readonly #now: () => number;
  readonly #marks: { readonly atMs: number; readonly fetched: number }[] = [];
  #received = 0;
  /** By this process, from the network. */
  #fetched = 0;
  #toldAtMs = Number.NEGATIVE_INFINITY;

  constructor(totalBytes: number, tell: (progress: DownloadProgress) => void, now = () => performance.now()) {
    this.#totalBytes = totalBytes;
    this.#tell = tell;
    this.#now = now;
    this.#marks.push({ atMs: now(), fetched: 0 });
  }

  /** More has to come than was known. */
  expect(bytes: number): void {
    this.#totalBytes += bytes;
  }

  /** Bytes that were there before, or are not any more (below 0). */
  found(bytes: number): void {
    this.#received += bytes;
    this.#tellNow(false);
  }

  came(bytes: number): void {
    this.#received += bytes;
    this.#fetched += bytes;
    this.#tellNow(false);
  }

  done(): void {
    this.#tellNow(true);
  }

  #tellNow(always: boolean): void {
    const atMs = this.#now();
    if (!always && atMs - this.#toldAtMs < TELL_EVERY_MS) return;
    this.#toldAtMs = atMs;
    this.#marks.push({ atMs, fetched: this.#fetched });
    while (this.#marks.length > 2 && atMs - (this.#marks[0]?.atMs ?? atMs) > WINDOW_MS) this.#marks.shift();
    const [first] = this.#marks;
    const seconds = first === undefined ? 0 : (atMs - first.atMs) / 1000;
    const bytesPerSecond = seconds > 0 ? Math.round((this.#fetched - (first?.fetched ?? 0)) / seconds) : 0;
    const left = this.#totalBytes - this.#received;
    const isTelling = seconds >= TELLING_SECONDS && bytesPerSecond > 0;
    guarded('onProgress', () =>
      this.#tell({
        receivedBytes: this.#received,
        totalBytes: this.#totalBytes,
        bytesPerSecond,
        ...(isTelling && { remainingSeconds: Math.ceil(left / bytesPerSecond) }),
      }),
    );
  }
}

/** `12.3 MB of 86.1 MB, 4.2 MB/s, 18 s left` */
export function progressLine({
  receivedBytes,
  totalBytes,
  bytesPerSecond,
  remainingSeconds,
}: DownloadProgress): string {
  const parts = [`${megabytes(receivedBytes)} of ${megabytes(totalBytes)}`];
  if (bytesPerSecond > 0) parts.push(`${megabytes(bytesPerSecond)}/s`);
  if (remainingSeconds !== undefined && remainingSeconds > 0)
    parts.push(`${duration(remainingSeconds)} left`);
  return parts.join(', ');
}

export function megabytes(bytes: number): string {
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(2)} GB`;
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

function duration(seconds: number): string {
  if (seconds < 90) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
