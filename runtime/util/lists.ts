/** Lists as a structured clone sees them: one that says it is very long may hold hardly anything, and is cloned in no time. */

/** Longer ones may be mostly holes, and going through those takes seconds. */
const LONG = 10_000_000;

/** Calls back with each item, in order. Holes are left out, or undefined. */
export function forEachItem(list: readonly unknown[], visit: (item: unknown) => void): void {
  if (list.length <= LONG) for (const item of list) visit(item);
  else for (const key of Object.keys(list)) visit(Reflect.get(list, key));
}
