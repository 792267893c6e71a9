import type { FaultSpan, HoldingSpan, MessageArrow, OperationSpan, Scene, Span } from './scene.ts';

export interface LayoutOptions {
  /** `readable` stretches short times until every label fits; `linear` draws time to scale. Default readable. */
  readonly scale?: 'readable' | 'linear';
}

export interface Placed<Item> {
  readonly item: Item;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** It goes on beyond the right edge. */
  readonly open: boolean;
}

interface Lane {
  readonly process: string;
  readonly y: number;
  readonly height: number;
  /** The height of the line that stands for the process. */
  readonly line: number;
}

interface Arrow {
  readonly message: MessageArrow;
  readonly x1: number;
  readonly y1: number;
  readonly x2: number;
  readonly y2: number;
}

export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly right: number;
  readonly lanes: readonly Lane[];
  readonly operations: readonly Placed<OperationSpan>[];
  readonly holdings: readonly Placed<HoldingSpan>[];
  readonly faults: readonly Placed<FaultSpan>[];
  readonly arrows: readonly Arrow[];
  readonly ticks: readonly { readonly x: number; readonly label: string }[];
}

export const barHeight = 26;
const stripHeight = 20;
const rowGap = 6;
const lanePadding = 14;
/** Where messages cross there is more room between the lines, for the arrows to be seen and named. */
const messagePadding = 26;
const faultRow = 20;
const roomy = 700;
const margin = 24;
/** What a bar's mark and padding take beside its label. */
const barPadding = 34;

/** About how wide a text is, on the wide side: what a reader's fonts are nobody knows. */
export function textWidth(text: string, size = 13): number {
  return [...text].length * size * 0.58;
}

/** Chooses a place for everything. Time goes to the right, so that labels are read without turning the head. */
export function layoutOf(scene: Scene, { scale = 'readable' }: LayoutOptions = {}): Layout {
  const left = margin + Math.max(90, ...scene.processes.map((name) => textWidth(name, 14))) + 20;
  const xOf = scale === 'linear' ? linearScale(scene, left) : readableScale(scene, left);
  const openEnds = scene.operations
    .filter(({ to = Number.POSITIVE_INFINITY }) => to > scene.to)
    .map(({ from, label }) => xOf(from) + textWidth(label) + barPadding + 12);
  const right = Math.max(xOf(scene.to) + 40, ...openEnds);
  const edges = (span: Span, least: number): { x: number; width: number; open: boolean } => {
    const open = span.to === undefined || span.to > scene.to;
    const x = xOf(Math.max(span.from, scene.from));
    const end = open ? right : xOf(span.to ?? scene.to);
    return { x, width: Math.max(end - x, least), open };
  };

  const operations: Placed<OperationSpan>[] = [];
  const holdings: Placed<HoldingSpan>[] = [];
  const faults: Placed<FaultSpan>[] = [];
  const lanes: Lane[] = [];
  const padding = scene.messages.length > 0 ? messagePadding : lanePadding;
  let y = 0;
  for (const process of scene.processes) {
    const own = <Item extends Span>(items: readonly Item[]): Item[] => items.filter((item) => item.process === process);
    const ownFaults = own(scene.faults);
    const top = y + padding + (ownFaults.length > 0 ? faultRow : 0);
    const bars = stacked(own(scene.operations), (item) => edges(item, 10));
    const barRows = Math.max(1, ...bars.map(({ row }) => row + 1));
    for (const { item, row, ...place } of bars) {
      operations.push({ item, ...place, y: top + row * (barHeight + rowGap), height: barHeight });
    }
    const stripTop = top + barRows * (barHeight + rowGap);
    const strips = stacked(own(scene.holdings), (item) => edges(item, 6));
    const stripRows = Math.max(0, ...strips.map(({ row }) => row + 1));
    for (const { item, row, ...place } of strips) {
      holdings.push({ item, ...place, y: stripTop + row * (stripHeight + rowGap), height: stripHeight });
    }
    const bottom = stripTop + stripRows * (stripHeight + rowGap) - rowGap + padding;
    for (const item of ownFaults) faults.push({ item, ...edges(item, 4), y, height: bottom - y });
    lanes.push({ process, y, height: bottom - y, line: top + barHeight / 2 });
    y = bottom;
  }

  const lineOf = new Map(lanes.map(({ process, line }) => [process, line]));
  const drawn = new Set(scene.operations.map(({ process }) => process));
  // From the edge of one bar to the edge of the other, not through them.
  const edge = (process: string): number => (drawn.has(process) ? barHeight / 2 + 1 : 1);
  const arrows = scene.messages.map((message): Arrow => {
    const [from, to] = [lineOf.get(message.from) ?? 0, lineOf.get(message.to) ?? 0];
    const down = Math.sign(to - from);
    const y1 = from + down * edge(message.from);
    const y2 = to - down * edge(message.to);
    const x1 = xOf(message.sentAt);
    // One that was lost stops on the way, where a cross says so.
    if (message.receivedAt === undefined) return { message, x1, y1, x2: x1 + 22, y2: y1 + (y2 - y1) * 0.3 };
    return { message, x1, y1, x2: Math.min(xOf(message.receivedAt), right), y2 };
  });
  const ticks = ticksOf(scene, xOf);
  return { width: right + margin, height: y, left, right, lanes, operations, holdings, faults, arrows, ticks };
}

interface Edges {
  readonly x: number;
  readonly width: number;
  readonly open: boolean;
}

/** Gives what overlaps in time rows of its own. */
function stacked<Item extends Span>(
  items: readonly Item[],
  edges: (item: Item) => Edges,
): (Edges & { item: Item; row: number })[] {
  const ends: number[] = [];
  return items.map((item) => {
    const place = edges(item);
    const free = ends.findIndex((end) => end <= place.x + 0.5);
    const row = free === -1 ? ends.length : free;
    ends[row] = place.x + place.width;
    return { item, row, ...place };
  });
}

function linearScale({ from, to }: Scene, left: number): (at: number) => number {
  const perMillisecond = 1100 / Math.max(to - from, 1e-6);
  return (at) => left + (Math.min(Math.max(at, from), to) - from) * perMillisecond;
}

/**
 * Keeps the order of all moments and some of their proportions: a gap grows with the square root of its time, and each
 * span is at least as wide as its label. Between two moments time is drawn evenly.
 */
function readableScale(scene: Scene, left: number): (at: number) => number {
  const { from, to, operations, holdings, faults, messages } = scene;
  const within = (at: number): number => Math.min(Math.max(at, from), to);
  const wide: { from: number; to: number; width: number }[] = [];
  for (const { from: begin, to: end = to, label } of operations) {
    wide.push({ from: within(begin), to: within(end), width: textWidth(label) + barPadding });
  }
  for (const { from: begin, to: end = to, label } of [...holdings, ...faults]) {
    wide.push({ from: within(begin), to: within(end), width: textWidth(label, 12) + 18 });
  }
  for (const { sentAt, receivedAt, label = '' } of messages) {
    wide.push({
      from: within(sentAt),
      to: within(receivedAt ?? sentAt),
      width: receivedAt === undefined ? 0 : Math.max(36, textWidth(label, 12) + 16),
    });
  }
  const moments = [...new Set([from, to, ...wide.flatMap((span) => [span.from, span.to])])].sort((a, b) => a - b);
  const endings = Map.groupBy(wide, (span) => span.to);
  const gaps = moments.slice(1).map((at, index) => at - (moments[index] ?? 0));
  const usual = gaps.toSorted((a, b) => a - b)[Math.floor(gaps.length / 2)] || 1;
  const places = new Map<number, number>();
  let x = left + 16;
  for (const [index, at] of moments.entries()) {
    if (index > 0) x += Math.min(160, Math.max(8, 14 * Math.sqrt((gaps[index - 1] ?? 0) / usual)));
    for (const span of endings.get(at) ?? []) {
      if (span.from < at) x = Math.max(x, (places.get(span.from) ?? left) + span.width);
    }
    places.set(at, x);
  }
  // A few short operations would huddle in a corner.
  const stretch = Math.max(1, roomy / (x - left));
  for (const [at, place] of places) places.set(at, left + (place - left) * stretch);
  return (time) => {
    const at = within(time);
    const known = places.get(at);
    if (known !== undefined) return known;
    const after = moments.findIndex((moment) => moment > at);
    const [a, b] = [moments[after - 1] ?? from, moments[after] ?? to];
    const [xa, xb] = [places.get(a) ?? left, places.get(b) ?? left];
    return xa + ((xb - xa) * (at - a)) / (b - a);
  };
}

/** Round times, as many as there is room for. */
function ticksOf({ from, to }: Scene, xOf: (at: number) => number): { x: number; label: string }[] {
  const length = to - from;
  if (!(length > 0)) return [{ x: xOf(from), label: timeText(from, 1) }];
  const rough = length / Math.max(2, Math.min(40, (xOf(to) - xOf(from)) / 60));
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((times) => times * power).find((size) => size >= rough) ?? rough;
  const ticks: { x: number; label: string }[] = [];
  let free = Number.NEGATIVE_INFINITY;
  for (let count = Math.ceil(from / step - 1e-9); count * step <= to + step * 1e-9; count += 1) {
    const x = xOf(count * step);
    const label = timeText(count * step, step);
    if (x < free) continue;
    ticks.push({ x, label });
    free = x + textWidth(label, 12) + 16;
  }
  return ticks;
}

function timeText(milliseconds: number, step: number): string {
  if (step >= 1000) return `${(milliseconds / 1000).toFixed(step % 1000 === 0 ? 0 : 1)} s`;
  const digits = step >= 1 ? 0 : Math.min(6, Math.ceil(-Math.log10(step)));
  return `${milliseconds.toFixed(digits)} ms`;
}
