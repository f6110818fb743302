/**
 * Positions in time, height and width (multimodal rotary position embedding, Wang et al. 2024, "Qwen2-VL"). Text counts in all
 * three alike. The tokens of an image that begins at position o lie at o in time, at o + row and o + column in its grid,
 * and what follows goes on behind the longer side of the grid: an image takes fewer positions than it has tokens.
 */
import type { TokenPositions } from '../../generation.ts';

/** Rows and columns of tokens. */
export interface TokenGrid {
  readonly rows: number;
  readonly columns: number;
}

const AXES = 3;

/** @param grids of the images, in the order of their tokens */
export function gridPositions(
  promptIds: Int32Array,
  imageTokenId: number,
  grids: readonly TokenGrid[],
): TokenPositions {
  const length = promptIds.length;
  const ids = new Int32Array(AXES * length);
  const place = (token: number, time: number, height: number, width: number): void => {
    ids[token] = time;
    ids[length + token] = height;
    ids[2 * length + token] = width;
  };
  const images = grids.values();
  let next = 0;
  let token = 0;
  while (token < length) {
    const grid = promptIds[token] === imageTokenId ? images.next().value : undefined;
    if (grid === undefined) {
      place(token, next, next, next);
      next += 1;
      token += 1;
      continue;
    }
    const { rows, columns } = grid;
    for (let i = 0; i < rows * columns; i++) {
      place(token + i, next, next + Math.floor(i / columns), next + (i % columns));
    }
    next += Math.max(rows, columns);
    token += rows * columns;
  }
  return { ids, next };
}
