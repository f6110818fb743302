/**
 * Makes the pictures in examples/: scenes of the embedded model's test set under names that say what they show,
 * some of them enlarged, since a picture that somebody brings has any size.
 *
 * Run it: node scripts/make-example-pictures.ts
 */
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';

interface Picture {
  readonly scene: string;
  /** Width and height, pixels. */
  readonly side: number;
}

const PICTURES: Readonly<Record<string, Picture>> = {
  'three-shapes-on-tan': { scene: '25', side: 80 },
  'red-cross-and-yellow-ring': { scene: '33', side: 80 },
  'red-ring': { scene: '20', side: 80 },
  'black-circle-and-purple-triangle': { scene: '02', side: 80 },
  'orange-circle-and-square': { scene: '03', side: 160 },
  'black-cross': { scene: '05', side: 80 },
  'orange-square': { scene: '04', side: 320 },
  'green-star-and-blue-ring': { scene: '29', side: 80 },
  'white-triangle': { scene: '27', side: 80 },
  'red-circle-on-pink': { scene: '24', side: 640 },
};

for (const [name, { scene, side }] of Object.entries(PICTURES)) {
  await sharp(pathOf(`test/fixtures/golden/${scene}.png`))
    .resize(side, side, { kernel: 'lanczos3' })
    .png({ compressionLevel: 9 })
    .toFile(pathOf(`examples/${name}.png`));
}

function pathOf(path: string): string {
  return fileURLToPath(new URL(`../${path}`, import.meta.url));
}
