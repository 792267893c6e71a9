/** So many at a time: one that waits keeps few others waiting. */
const most = 10;

/** Does the same for each, and gives what came of it in their order. */
export async function sideBySide<Item, Outcome>(
  items: readonly Item[],
  work: (item: Item) => Promise<Outcome>,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  let next = 0;
  const take = async (): Promise<void> => {
    for (let at = next; at < items.length; at = next) {
      next += 1;
      outcomes[at] = await work(items[at] as Item);
    }
  };
  await Promise.all(Array.from({ length: most }, take));
  return outcomes;
}
