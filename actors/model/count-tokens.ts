/** How often one token, an image's say, is among others. */
export function countTokens(ids: Iterable<number>, token: number): number {
  let count = 0;
  for (const id of ids) count += Number(id === token);
  return count;
}
