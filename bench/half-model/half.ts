/** Numbers as IEEE 754 binary16. */

/** The nearest ones as bit patterns, ties to even; infinity beyond 65,504. */
export function toHalves(values: Float32Array): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  return Uint16Array.from(values, (value, index) => {
    const sign = ((bits[index] ?? 0) >>> 16) & 0x8000;
    if (Number.isNaN(value)) return sign | 0x7e00;
    const exponent = Math.max((((bits[index] ?? 0) >>> 23) & 0xff) - 127, -14);
    const units = roundToEven(Math.abs(value) * 2 ** (10 - exponent));
    // Of a normal number the units are 1,024 and more, and a carry raises the exponent.
    return sign | Math.min((exponent + 14) * 1024 + units, 0x7c00);
  });
}

function roundToEven(value: number): number {
  const rounded = Math.round(value);
  return rounded - value === 0.5 && rounded % 2 === 1 ? rounded - 1 : rounded;
}
