/** Pictures for models whose answers do not matter. */
import sharp from 'sharp';
import { SeededRandom } from '../actors/pd/sampler/random.ts';

const CELLS = 8;

/** A square PNG of squares in random colours: no two seeds give the same. */
export async function makePicture(path: string, side: number, seed: number): Promise<void> {
  const random = new SeededRandom(seed);
  const pixels = Uint8Array.from({ length: CELLS * CELLS * 3 }, () => random.nextUint32() & 255);
  await sharp(pixels, { raw: { width: CELLS, height: CELLS, channels: 3 } })
    .resize(side, side, { kernel: 'nearest' })
    .png()
    .toFile(path);
}
