const itemName = /^p(\d{1,3})\.(-?\d{9,10})$/;
const placeInLine = /\.(-?\d{9,10})$/;

/** The name of an item before the servers put its number behind it. */
export function itemPrefix(priority: number): string {
  return `p${String(priority).padStart(3, '0')}.`;
}

export function priorityOf(item: string): number {
  return Number(itemName.exec(item)?.[1]);
}

/** The first item that nobody has claimed: by priority, 0 before 1, then by arrival. */
export function firstFree(items: readonly string[], claims: readonly string[]): string | undefined {
  const claimed = new Set(claims);
  let first: { readonly name: string; readonly priority: number; readonly number: number } | undefined;
  for (const name of items) {
    const [, priority, number] = itemName.exec(name) ?? [];
    if (priority === undefined || claimed.has(name)) continue;
    const item = { name, priority: Number(priority), number: Number(number) };
    if (!first || item.priority < first.priority) first = item;
    else if (item.priority === first.priority && comesBefore(item.number, first.number)) first = item;
  }
  return first?.name;
}

/** Whom a taker waits for: the one right before it in line. Undefined when it is the first; itself when it is not in it. */
export function predecessorOf(own: string, line: readonly string[]): string | undefined {
  if (!line.includes(own)) return own;
  let predecessor: string | undefined;
  for (const name of line) {
    if (!comesBefore(numberOf(name), numberOf(own))) continue;
    if (predecessor === undefined || comesBefore(numberOf(predecessor), numberOf(name))) predecessor = name;
  }
  return predecessor;
}

/** The servers count with 32 bits: the number after 2147483647 is -2147483648. */
function comesBefore(one: number, other: number): boolean {
  return ((one - other) | 0) < 0;
}

function numberOf(name: string): number {
  return Number(placeInLine.exec(name)?.[1] ?? 0);
}
