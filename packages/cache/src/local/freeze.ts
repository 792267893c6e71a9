/** Freezes plain objects and lists, all the way down. What else there may be (a `Date`, a `Map`, bytes) cannot be. */
export function freeze(value: unknown): void {
  if (typeof value === 'object' && value !== null) freezeAll(value, new Set());
}

/** What is frozen already is looked into once, too: the `readonly` of a schema freezes no more than the top. */
function freezeAll(value: object, frozen: Set<object>): void {
  const list = Array.isArray(value);
  if (!list) {
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== null) return;
  }
  if (Object.isFrozen(value)) {
    if (frozen.has(value)) return;
    frozen.add(value);
  } else {
    Object.freeze(value);
  }
  for (const item of list ? value : Object.values(value)) {
    if (typeof item === 'object' && item !== null) freezeAll(item, frozen);
  }
}
