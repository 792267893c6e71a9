import { compareInstances, type HealthEntry, type ServiceInstance, serviceInstance } from './service-instance.ts';

/** What an answer says of one instance, with the indexes by which the servers tell that something of it has changed. */
interface Line {
  readonly instance: ServiceInstance;
  readonly indexes: readonly (number | undefined)[];
}

/**
 * The answers to one question, one after the other: what has not changed stays the same object, and where nothing has, the list
 * does too. Consul's order is that of its index, so most lines are found where they were.
 */
export class Roll {
  readonly #byDistance: boolean;
  #lines: readonly Line[] = [];
  #list: readonly ServiceInstance[] | undefined;

  /** `byDistance`: the order of the answers means something. Otherwise the list is in the order of ids. */
  constructor(byDistance: boolean) {
    this.#byDistance = byDistance;
  }

  /** `anew`: the servers may be others than those of the last answer, and their indexes the same by chance. */
  read(entries: readonly HealthEntry[], anew: boolean): readonly ServiceInstance[] {
    const before = this.#lines;
    let elsewhere: Map<string, Line> | undefined;
    let moved = entries.length !== before.length || this.#list === undefined;
    const replaced = new Map<ServiceInstance, ServiceInstance>();
    const lines = entries.map((entry, index): Line => {
      let old = before[index];
      if (!old || !isOf(entry, old.instance)) {
        moved = true;
        elsewhere ??= new Map(before.map((line) => [keyOf(line.instance.node, line.instance.id), line]));
        old = elsewhere.get(keyOf(entry.Node.Node, entry.Service.ID));
      }
      if (old && !anew && unchanged(entry, old.indexes)) return old;
      const instance = serviceInstance(entry);
      const indexes = indexesOf(entry);
      // Indexes grow also with what is not shown, such as the output of a check.
      if (old && JSON.stringify(old.instance) === JSON.stringify(instance)) return { instance: old.instance, indexes };
      if (old) replaced.set(old.instance, instance);
      return { instance, indexes };
    });
    this.#lines = lines;
    if (!moved && this.#list) {
      // Each is where it was: of thousands of instances, one that has changed is no reason to put them all into order.
      if (replaced.size > 0) this.#list = this.#list.map((instance) => replaced.get(instance) ?? instance);
      return this.#list;
    }
    const list = lines.map(({ instance }) => instance);
    if (!this.#byDistance) list.sort(compareInstances);
    const last = this.#list;
    const same = last?.length === list.length && list.every((instance, index) => instance === last[index]);
    this.#list = same ? last : list;
    return this.#list as readonly ServiceInstance[];
  }
}

function keyOf(node: string, id: string): string {
  return `${node} ${id}`;
}

function isOf({ Node, Service }: HealthEntry, { node, id }: ServiceInstance): boolean {
  return Service.ID === id && Node.Node === node;
}

function indexesOf({ Node, Service, Checks }: HealthEntry): (number | undefined)[] {
  return [Node.ModifyIndex, Service.ModifyIndex, ...Checks.map(({ ModifyIndex }) => ModifyIndex)];
}

/** The same as to compare with `indexesOf`, without a list for each of thousands. */
function unchanged({ Node, Service, Checks }: HealthEntry, indexes: Line['indexes']): boolean {
  if (Service.ModifyIndex === undefined || Checks.length + 2 !== indexes.length) return false;
  if (Node.ModifyIndex !== indexes[0] || Service.ModifyIndex !== indexes[1]) return false;
  return Checks.every(({ ModifyIndex }, index) => ModifyIndex === indexes[index + 2]);
}
