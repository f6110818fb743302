/** Asks about all, so many at a time: each caller takes the next one when it has its answer. Answers are in the order of the items. */
export async function inCrowd<Item, Answer>(
  items: readonly Item[],
  callers: number,
  ask: (item: Item) => Promise<Answer>,
): Promise<Answer[]> {
  const answers: Answer[] = [];
  const left = items.entries(); // one for all callers
  const caller = async (): Promise<void> => {
    for (const [index, item] of left) answers[index] = await ask(item);
  };
  await Promise.all(Array.from({ length: callers }, caller));
  return answers;
}
