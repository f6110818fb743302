/**
 * An `--image` argument made into encoded bytes. Reading, and refusing what cannot be read, comes before the engine
 * starts; decoding is left to the processor, off the main thread.
 */
import process from 'node:process';
import { InputError } from '../../actors/errors.ts';
import { type ImageSourceOptions, loadImageBytes } from '../../actors/processor/image-source.ts';
import { imagePolicy } from '../config/image-options.ts';
import type { TroupeOptions } from '../config/options.ts';

/** How a command line writes standard input where a file is expected. */
const STANDARD_INPUT = '-';

/** More than any engine takes, and little enough to hold. */
const MOST_PIPED_BYTES = 1024 * 1024 * 1024;

/**
 * @param engine whose limits and way to the web these images have
 * @throws InputError naming the flag
 */
export async function readImages(
  args: readonly string[],
  { limits, images }: Pick<TroupeOptions, 'limits' | 'images'>,
  signal: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>[]> {
  if (args.filter((arg) => arg === STANDARD_INPUT).length > 1) {
    throw wrongInput('is standard input twice', 'Name standard input once.');
  }
  // The person at the keyboard names them: any file, and any host.
  const policy = imagePolicy({ ...images, privateAddresses: true });
  const maxBytes = limits?.maxImageBytes;
  const options = { signal, policy, ...(maxBytes === undefined ? {} : { maxBytes }) };
  return await Promise.all(args.map((arg) => readImage(arg, options)));
}

async function readImage(arg: string, options: ImageSourceOptions): Promise<Uint8Array<ArrayBuffer>> {
  const source = arg === STANDARD_INPUT ? await readStandardInput() : arg;
  // A copy with memory of its own: small reads share Node's buffer pool, which cannot be sent to another thread.
  return new Uint8Array(await loadImageBytes(source, '--image', options));
}

async function readStandardInput(): Promise<Uint8Array<ArrayBuffer>> {
  if (process.stdin.isTTY)
    throw wrongInput('is standard input, a terminal', 'Pipe an image in, or give a path.');
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of process.stdin) {
    const bytes = Buffer.from(chunk);
    chunks.push(bytes);
    size += bytes.length;
    if (size > MOST_PIPED_BYTES) break; // the reader of the bytes refuses them by their number
  }
  return new Uint8Array(Buffer.concat(chunks));
}

function wrongInput(problem: string, remedy: string): InputError {
  return new InputError('INVALID_ARGUMENT', problem, { field: '--image', value: STANDARD_INPUT, remedy });
}
