/** Squares of this side fit the processor's cache. */
const SIDE = 32;

/** `[rows, columns]` → `[columns, rows]` */
export function transposed(matrix: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(matrix.length);
  for (let top = 0; top < rows; top += SIDE) {
    for (let left = 0; left < columns; left += SIDE) {
      for (let row = top; row < Math.min(top + SIDE, rows); row++) {
        for (let column = left; column < Math.min(left + SIDE, columns); column++) {
          result[column * rows + row] = matrix[row * columns + column] ?? 0;
        }
      }
    }
  }
  return result;
}
