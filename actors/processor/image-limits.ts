/** The limit on encoded bytes, which every kind of image source keeps. */
import { InputError } from '../errors.ts';

/** @param size in bytes, as found or as announced */
export function tooManyBytes(field: string, size: number, maxBytes: number): InputError {
  const remedy = 'Scale the image down, compress it, or raise limits.maxImageBytes.';
  const facts = { field, value: size, remedy };
  return new InputError('IMAGE_TOO_LARGE_BYTES', `the image has more than ${maxBytes} bytes`, facts);
}
