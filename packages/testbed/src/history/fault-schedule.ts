import { InvalidArgumentError } from '@quorate/core';
import { seeded } from './seeded.ts';

/** One fault to come: `at` milliseconds after the start, for `duration` milliseconds. */
export interface PlannedFault {
  readonly at: number;
  readonly kind: string;
  /** One name, or for a kind that splits (`partition`) the names on one side. */
  readonly target: readonly string[];
  /** The other side of a split. */
  readonly from?: readonly string[];
  readonly duration: number;
}

/** A kind of fault the schedule may draw on. */
export interface FaultKind {
  readonly kind: string;
  readonly targets: readonly string[];
  /** Splits the targets in two sides, neither empty, instead of striking one of them. */
  readonly split?: boolean;
  /** How often beside the others. Default 1. */
  readonly weight?: number;
  /** Shortest and longest, in milliseconds. Default: that of the schedule. */
  readonly duration?: readonly [min: number, max: number];
}

export interface FaultScheduleOptions {
  readonly faults: readonly FaultKind[];
  /** Length of the run in milliseconds. */
  readonly length: number;
  /** Quiet time between the end of a fault and the next, in milliseconds. Default 500 to 2000. */
  readonly pause?: readonly [min: number, max: number];
  /** How long a fault lasts, in milliseconds. Default 500 to 5000. */
  readonly duration?: readonly [min: number, max: number];
  /** Quiet time kept at the end, for the system to recover in. Default a fifth of `length`. */
  readonly recovery?: number;
  /** How many faults may overlap. Default 1. */
  readonly together?: number;
}

export interface FaultSchedule {
  readonly seed: number;
  readonly length: number;
  readonly faults: readonly PlannedFault[];
}

/** A schedule of faults as data: the same seed and options give the same schedule, on every machine. */
export function faultSchedule(seed: number, options: FaultScheduleOptions): FaultSchedule {
  const { faults: kinds, length, pause = [500, 2000], duration = [500, 5000], together = 1 } = options;
  const { recovery = length / 5 } = options;
  checked(options);
  const planned: PlannedFault[] = [];
  for (let lane = 0; lane < together; lane += 1) {
    const chance = seeded(seed).fork(`lane ${lane}`);
    let at = chance.integer(...pause);
    for (;;) {
      const kind = weighted(kinds, chance.next());
      const lasts = chance.integer(...(kind.duration ?? duration));
      const target =
        kind.split === true ? split(kind.targets, () => chance.next()) : { target: [chance.pick(kind.targets)] };
      if (at + lasts > length - recovery) break;
      planned.push({ at, kind: kind.kind, ...target, duration: lasts });
      at += lasts + chance.integer(...pause);
    }
  }
  return { seed, length, faults: apart(planned.sort((a, b) => a.at - b.at)) };
}

// Two faults on one target at once, or two splits: ending the first would end part of the second too.
function apart(faults: readonly PlannedFault[]): PlannedFault[] {
  const kept: PlannedFault[] = [];
  for (const fault of faults) {
    const clash = kept.some(
      (other) =>
        other.at + other.duration >= fault.at &&
        (fault.from !== undefined || other.from !== undefined
          ? other.kind === fault.kind
          : other.target.some((name) => fault.target.includes(name))),
    );
    if (!clash) kept.push(fault);
  }
  return kept;
}

function weighted(kinds: readonly FaultKind[], chance: number): FaultKind {
  let left = chance * kinds.reduce((sum, { weight = 1 }) => sum + weight, 0);
  for (const kind of kinds) {
    left -= kind.weight ?? 1;
    if (left < 0) return kind;
  }
  return kinds.at(-1) as FaultKind;
}

function split(targets: readonly string[], chance: () => number): Pick<PlannedFault, 'target' | 'from'> {
  const shuffled = targets.map((name) => ({ name, place: chance() })).sort((a, b) => a.place - b.place);
  const size = 1 + Math.floor(chance() * (targets.length - 1));
  const names = shuffled.map(({ name }) => name);
  return { target: names.slice(0, size), from: names.slice(size) };
}

function checked({ faults, length, pause, duration, recovery, together }: FaultScheduleOptions): void {
  if (!(length > 0 && length < Infinity)) throw new InvalidArgumentError('length', 'milliseconds above 0', length);
  if (faults.length === 0) throw new InvalidArgumentError('faults', 'at least one kind of fault', faults);
  for (const [index, { targets, split = false, weight = 1, duration }] of faults.entries()) {
    const least = split ? 2 : 1;
    if (targets.length < least)
      throw new InvalidArgumentError(`faults[${index}].targets`, `at least ${least}`, targets);
    if (!(weight > 0 && weight < Infinity))
      throw new InvalidArgumentError(`faults[${index}].weight`, 'above 0', weight);
    span(`faults[${index}].duration`, duration);
  }
  span('pause', pause);
  span('duration', duration);
  if (recovery !== undefined && !(recovery >= 0 && recovery <= length)) {
    throw new InvalidArgumentError('recovery', `milliseconds from 0 to length (${length})`, recovery);
  }
  if (together !== undefined && !(Number.isSafeInteger(together) && together >= 1 && together <= 16)) {
    throw new InvalidArgumentError('together', 'a whole number from 1 to 16', together);
  }
}

function span(name: string, range: readonly [number, number] | undefined): void {
  if (range === undefined) return;
  const [min, max] = range;
  // A minimum of 1: a schedule of faults that take no time would never reach its end.
  if (!(Number.isSafeInteger(min) && Number.isSafeInteger(max) && min >= 1 && min <= max)) {
    throw new InvalidArgumentError(name, 'two whole numbers of milliseconds above 0, the smaller first', range);
  }
}
