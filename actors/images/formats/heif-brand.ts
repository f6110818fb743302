/** A still image in an ISO media file, under a first brand that the decoder looks for; it does not look at the others. */
const LOOKED_FOR = new Set([
  'avif',
  'avis',
  'heic',
  'heix',
  'hevc',
  'heim',
  'heis',
  'hevm',
  'hevs',
  'mif1',
  'msf1',
]);
const BRAND_AT = 8;

/** @returns the same bytes, or a copy of them with the brand that says no more than "images" */
export function heifWithKnownBrand(bytes: Uint8Array): Uint8Array {
  const brand = String.fromCharCode(...bytes.subarray(BRAND_AT, BRAND_AT + 4));
  if (LOOKED_FOR.has(brand)) return bytes;
  const branded = Buffer.from(bytes);
  branded.write('mif1', BRAND_AT, 'latin1');
  return branded;
}
