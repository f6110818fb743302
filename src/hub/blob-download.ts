/**
 * Downloads one file into a `PartialFile`: its pieces side by side, each from where it stopped, until all are there. What
 * came is written before a failure is looked at, so that nothing has to come twice.
 */
import type { FileHandle } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { TroupeError } from '../../runtime/errors.ts';
import { throwIfAborted } from '../../runtime/util/aborted.ts';
import { isError } from '../../runtime/util/realms.ts';
import { hubAnswer } from './hub-errors.ts';
import type { HubHttp, OpenedFile, Refusal } from './hub-http.ts';
import { type Gap, PartialFile } from './partial-file.ts';
import type { Turns } from './turns.ts';

export interface BlobDownload {
  readonly http: HubHttp;
  readonly address: string;
  /** Where it is to be, whole. */
  readonly target: string;
  readonly size: number;
  /** Connections at once, of all files. */
  readonly turns: Turns;
  readonly signal: AbortSignal | undefined;
  refusal(answer: Refusal): Error;
  /** Bytes that were there before; below 0 for those that are not any more. */
  onFound(bytes: number): void;
  onBytes(bytes: number): void;
}

/** Written at once; above it the network waits for the disk. */
const WRITE_AHEAD_BYTES = 4 * 1024 * 1024;

/** @returns the file with all of its bytes, not checked */
export async function downloadBlob(download: BlobDownload): Promise<PartialFile> {
  const { target, size } = download;
  const partial = await PartialFile.open(target, size);
  download.onFound(await partial.present());
  const wholeOnly = await fetchGaps(partial, download);
  if (!wholeOnly) return partial;
  download.onFound(-(await partial.present()));
  const whole = await PartialFile.inOnePiece(target, size);
  await fetchGaps(whole, download);
  return whole;
}

/** @returns true when only whole files are sent, and this would have to be a part of one */
async function fetchGaps(partial: PartialFile, download: BlobDownload): Promise<boolean> {
  // An empty file has no gap, and has to be made.
  if (download.size === 0) await (await partial.append({ start: 0, from: 0, to: 0 })).close();
  const failed = new AbortController();
  const outcomes = await Promise.allSettled(
    (await partial.gaps()).map(async (gap) => {
      try {
        await download.turns.run(() => fetchGap(partial, gap, download, failed.signal), failed.signal);
      } catch (error) {
        failed.abort(error);
        throw error;
      }
    }),
  );
  const reasons = outcomes.filter((outcome) => outcome.status === 'rejected').map(({ reason }) => reason);
  throwIfAborted(download.signal);
  if (reasons.length === 0) return false;
  const first: unknown = failed.signal.reason ?? reasons[0];
  if (first === WHOLE_ONLY) return true;
  throw first;
}

/** The server does not know ranges. */
const WHOLE_ONLY = Symbol('sends whole files only');

async function fetchGap(
  partial: PartialFile,
  gap: Gap,
  download: BlobDownload,
  failed: AbortSignal,
): Promise<void> {
  const file = await partial.append(gap);
  try {
    let { from } = gap;
    let failures = 0;
    while (from < gap.to) {
      throwIfAborted(failed);
      const before = from;
      const attempt = await fetchOnce({ ...gap, from }, file, download, failed);
      from = attempt.from;
      if (from >= gap.to) break;
      failures = from > before ? 0 : failures + 1;
      // What broke after it had come a way is asked for again at once.
      if (failures > 0) await download.http.waitAfter(failures, attempt);
    }
  } finally {
    await file.close();
  }
}

interface Attempt {
  /** How far it is now. */
  readonly from: number;
  readonly status?: number;
  readonly error?: unknown;
  readonly retryAfter?: string | undefined;
}

async function fetchOnce(
  gap: Gap,
  file: FileHandle,
  download: BlobDownload,
  failed: AbortSignal,
): Promise<Attempt> {
  const { from, to } = gap;
  const { http, address, size } = download;
  const isWhole = from === 0 && to === size;
  let opened: OpenedFile;
  try {
    opened = await http.open(address, isWhole ? undefined : { from, to: to - 1 });
  } catch (error) {
    throwIfAborted(download.signal);
    if (TroupeError.is(error)) throw error; // asking again would not help
    return { from, error };
  }
  const { status, headers, body } = opened;
  if (status === (isWhole ? 200 : 206)) {
    const start = isWhole ? 0 : startOf(headers['content-range']);
    if (start !== from) throw hubAnswer(`bytes from ${start} where ${from} was asked for`, address);
    return await writeBody(body, { ...gap, file }, download, failed);
  }
  await body.dump();
  if (status === 200) throw WHOLE_ONLY;
  const header = (name: string) => textOf(headers[name]);
  if (http.isBusy(status)) return { from, status, retryAfter: header('retry-after') };
  throw download.refusal({
    ...{ status, url: address },
    ...{ code: header('x-error-code'), said: header('x-error-message') },
  });
}

interface Writing extends Gap {
  readonly file: FileHandle;
}

/** Takes each chunk as it comes: what a stream holds when it breaks is lost with it. */
async function writeBody(
  body: Readable,
  { from, to, file }: Writing,
  { onBytes }: BlobDownload,
  failed: AbortSignal,
): Promise<Attempt> {
  const { promise, resolve } = Promise.withResolvers<unknown>();
  let at = from;
  let ahead = 0;
  let writing: Promise<void> = Promise.resolve();
  let broken: { readonly cause: unknown } | undefined;
  const onAbort = () => body.destroy(isError(failed.reason) ? failed.reason : undefined);
  failed.addEventListener('abort', onAbort, { once: true });
  body.on('data', (chunk: Buffer) => {
    // More than was asked for is not ours.
    const bytes = chunk.subarray(0, Math.max(0, to - at));
    at += bytes.length;
    ahead += bytes.length;
    if (ahead > WRITE_AHEAD_BYTES) body.pause();
    writing = writing.then(async () => {
      if (broken !== undefined) return;
      await file.writeFile(bytes);
      onBytes(bytes.length);
      ahead -= bytes.length;
      if (ahead <= WRITE_AHEAD_BYTES) body.resume();
    });
    writing.catch((cause: unknown) => {
      broken ??= { cause };
      body.destroy();
    });
  });
  body.once('error', resolve);
  body.once('close', () => resolve(undefined));
  const error = await promise;
  failed.removeEventListener('abort', onAbort);
  await writing.catch(() => undefined);
  if (broken !== undefined) throw broken.cause;
  return { from: at, error: error ?? new Error('the connection was closed') };
}

/** `bytes 5-9/10` */
function startOf(contentRange: string | string[] | undefined): number {
  return Number(/^bytes (\d+)-/.exec(textOf(contentRange) ?? '')?.[1] ?? Number.NaN);
}

function textOf(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : header?.[0];
}
