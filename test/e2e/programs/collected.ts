/** Enough for what needs several: one to find the garbage, one for what its finalizers let go of. */
const ROUNDS = 50;

/** Collects garbage until all of it is gone, for a number of rounds at most. Needs `--expose-gc`. */
export async function collected(references: readonly WeakRef<object>[]): Promise<void> {
  const { gc } = globalThis;
  if (gc === undefined) throw new Error('run with --expose-gc');
  for (let round = 0; round < ROUNDS; round++) {
    await new Promise((resolve) => setImmediate(resolve));
    await gc({ type: 'major', execution: 'async' });
    if (references.every((reference) => reference.deref() === undefined)) return;
  }
}
