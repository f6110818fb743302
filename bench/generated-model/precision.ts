/** Precisions of the generated model's graphs, and of the embedded model's where it has them. */
export const PRECISIONS = ['fp32', 'q4', 'q8'] as const;

export type Precision = (typeof PRECISIONS)[number];

/** From the command line of a child process. @throws RangeError */
export function precisionOf(name: string | undefined): Precision {
  const precision = PRECISIONS.find((one) => one === name);
  if (precision === undefined) throw new RangeError(`${name} is none of ${PRECISIONS.join(', ')}`);
  return precision;
}
