/** Numbers as IEEE 754 binary16. */

/** The nearest ones as bit patterns, ties to even; infinity beyond 65,504. In a plain loop, as `eightBit` of the fixtures. */
export function toHalves(values: Float32Array): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const halves = new Uint16Array(values.length);
  for (let i = 0; i < values.length; i++) halves[i] = toHalf(values[i] ?? 0, bits[i] ?? 0);
  return halves;
}

/** @param bits of the value in 32 bits */
function toHalf(value: number, bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  if (Number.isNaN(value)) return sign | 0x7e00;
  const exponent = Math.max(((bits >>> 23) & 0xff) - 127, -14);
  const units = roundToEven(Math.abs(value) * 2 ** (10 - exponent));
  // Of a normal number the units are 1,024 and more, and a carry raises the exponent.
  return sign | Math.min((exponent + 14) * 1024 + units, 0x7c00);
}

function roundToEven(value: number): number {
  const rounded = Math.round(value);
  return rounded - value === 0.5 && rounded % 2 === 1 ? rounded - 1 : rounded;
}
