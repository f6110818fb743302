/**
 * Arrays of which no two items are equal. What has come has to be known for that, so the items have to be out of a list of values:
 * there is a state for each set of values that may have come, and what is left of the list follows it.
 */
import { writeSeparator } from '../grammar/json-text.ts';
import type { RuleNfa } from '../grammar/rule-nfa.ts';
import { sameJson } from './accepts.ts';

export interface UniqueItems {
  /** Least and most items. */
  readonly min: number;
  readonly max: number;
  /** Values that the item at an index may have, no two of them equal; the same list for the same values. */
  valuesAt(index: number): readonly unknown[];
  /** The rule of one value. */
  ruleOf(value: unknown): number;
}

/** From `open` to `close`, both inside the brackets; each set costs states, which the grammar's budget bounds. */
export function writeUniqueItems(
  nfa: RuleNfa,
  open: number,
  close: number,
  { min, max, valuesAt, ruleOf }: UniqueItems,
): void {
  const values: { readonly value: unknown; readonly bit: bigint; readonly rule: number }[] = [];
  const known = (value: unknown) => {
    const found = values.find((one) => sameJson(one.value, value));
    if (found !== undefined) return found;
    const one = { value, bit: 1n << BigInt(values.length), rule: ruleOf(value) };
    values.push(one);
    return one;
  };
  const lists = new Map<readonly unknown[], typeof values>();
  const itemsAt = (index: number) => {
    const list = valuesAt(index);
    const items = lists.get(list) ?? list.map(known);
    lists.set(list, items);
    return items;
  };
  /** By the values that have come; as a text, since engines hash large integers badly. */
  const places = new Map([['0', { come: 0n, state: open }]]);
  for (const { come, state } of places.values()) {
    const index = sizeOf(come);
    if (index >= min) nfa.pass(state, close);
    if (index >= max) continue;
    const item = index === 0 ? state : nfa.state();
    if (index > 0) writeSeparator(nfa, state, ',', item);
    for (const { bit, rule } of itemsAt(index)) {
      if ((come & bit) !== 0n) continue;
      const key = (come | bit).toString(32);
      const behind = places.get(key) ?? { come: come | bit, state: nfa.state() };
      places.set(key, behind);
      nfa.call(item, rule, behind.state);
    }
  }
}

function sizeOf(bits: bigint): number {
  let size = 0;
  for (let left = bits; left > 0n; left &= left - 1n) size += 1;
  return size;
}
