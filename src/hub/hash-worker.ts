/** Hashes downloaded files on a pool thread: gigabytes of it would hold up everyone whom the caller's thread answers. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { type Outcome, outcomeOf } from '../../runtime/thread/thread-control.ts';

export interface FileToHash {
  readonly path: string;
  readonly size: number;
  /** SHA-256 of what is in the file, or SHA-1 as git has it: of a header and what is in the file. */
  readonly algorithm: 'sha256' | 'git-sha1';
}

const READ_BYTES = 1024 * 1024;

export function hashFile({ path, size, algorithm }: FileToHash): Promise<Outcome<string>> {
  return outcomeOf(async () => {
    const hash = createHash(algorithm === 'sha256' ? 'sha256' : 'sha1');
    if (algorithm === 'git-sha1') hash.update(`blob ${size}\0`);
    await pipeline(createReadStream(path, { highWaterMark: READ_BYTES }), hash);
    return hash.digest('hex');
  });
}
