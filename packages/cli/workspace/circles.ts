/** The groups of files that import one another in a circle, each sorted; by Tarjan's algorithm. */
export function circles(imports: ReadonlyMap<string, readonly string[]>): string[][] {
  const places = new Map<string, number>();
  const lowest = new Map<string, number>();
  const path: string[] = [];
  const found: string[][] = [];
  const visit = (file: string): void => {
    places.set(file, places.size);
    lowest.set(file, places.get(file) as number);
    path.push(file);
    const meet = (place: number | undefined): void => {
      lowest.set(file, Math.min(lowest.get(file) as number, place as number));
    };
    for (const next of imports.get(file) ?? []) {
      if (!places.has(next)) {
        visit(next);
        meet(lowest.get(next));
      } else if (path.includes(next)) meet(places.get(next));
    }
    if (lowest.get(file) !== places.get(file)) return;
    const group = path.splice(path.indexOf(file));
    if (group.length > 1) found.push(group.sort());
  };
  for (const file of imports.keys()) if (!places.has(file)) visit(file);
  return found;
}
