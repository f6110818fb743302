/** Which tokens of a prompt see later ones, where a model has that: what the decoder takes as `token_type_ids`. */
import type { SeesAhead } from '../../model/geometry.ts';

/**
 * @returns for each token 0, when it sees what is before it alone, or a number that it shares with those that it sees;
 *   undefined when no token sees ahead. Image tokens without another token between them are one group.
 */
export function attentionGroups(
  ids: Int32Array,
  seesAhead: SeesAhead,
  imageTokenId: number,
): Int32Array | undefined {
  if (seesAhead === 'none') return undefined;
  const groups = new Int32Array(ids.length);
  if (seesAhead === 'prompt') return groups.fill(1);
  let group = 0;
  for (const [i, id] of ids.entries()) {
    if (id !== imageTokenId) continue;
    if (i === 0 || ids[i - 1] !== imageTokenId) group += 1;
    groups[i] = group;
  }
  return groups;
}

/**
 * Where a part of a prompt that was to end at `to` may end: never within a group, whose tokens must be run together.
 *
 * @returns the start of the group, or its end when the part would be empty; `from < end ≤ groups.length`
 */
export function endOfPart(groups: Int32Array | undefined, from: number, to: number): number {
  const inside = (at: number): boolean =>
    groups !== undefined && at < groups.length && groups[at] !== 0 && groups[at - 1] === groups[at];
  let end = to;
  while (end > from && inside(end)) end -= 1;
  if (end > from) return end;
  end = to;
  while (inside(end)) end += 1;
  return end;
}
