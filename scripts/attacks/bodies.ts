/** Bodies of nearly 20 MiB, each to be dear in one way. */
import sharp from 'sharp';

const BYTES = 20 * 1024 * 1024 - 512;
const QUESTION = '{"type":"text","text":"Hi"}';

const filled = (unit: string, separator = '') =>
  `${unit}${`${separator}${unit}`.repeat(Math.floor(BYTES / (unit.length + separator.length)) - 2)}`;
const numbered = (count: number) => Array.from({ length: count }, (_, i) => `"k${i}":1`).join(',');
const asking = (content: string) => `{"messages":[{"role":"user","content":${content}}],"max_tokens":2}`;
const picture = (url: string) => asking(`[{"type":"image_url","image_url":{"url":"${url}"}},${QUESTION}]`);

export const BODIES: Readonly<Record<string, () => string>> = {
  'nested lists': () => `{"messages":${'['.repeat(BYTES / 2)}${']'.repeat(BYTES / 2)}}`,
  'nested objects': () => `{"messages":${filled('{"a":')}`,
  'unknown keys': () => `{${numbered(1_400_000)}}`,
  'empty parts': () => asking(`[${filled('{"type":"text","text":""}', ',')},${QUESTION}]`),
  'small values': () => `{"messages":[${filled('1', ',')}]}`,
  'long text': () => asking(`"${'a'.repeat(BYTES)}"`),
  'escaped text': () => asking(`"${filled('\\u0061')}"`),
  'percent-encoded image': () => picture(`data:image/png,${filled('%41')}`),
  'image with spaces': () => picture(`data:image/png;base64,${filled('A ')}`),
  'long address': () => picture(`https://${'a'.repeat(BYTES)}.example/`),
  'address of other letters': () => picture(`https://${'ü'.repeat(BYTES / 2)}.example/`),
};

/** A picture that nothing compresses, of some 15 MB, as a client may rightly send it. */
export async function largePicture(): Promise<string> {
  const side = 2200;
  const noise = { width: side, height: side, channels: 3, background: 'black' } as const;
  const image = sharp({ create: { ...noise, noise: { type: 'gaussian', mean: 128, sigma: 60 } } });
  const png = await image.png({ compressionLevel: 0 }).toBuffer();
  return picture(`data:image/png;base64,${png.toString('base64')}`);
}
