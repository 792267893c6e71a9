// Loaded before a program, by --import: its clocks are wrong as they are told, at the start and while it runs.
import { Socket } from 'node:net';
import { isMainThread } from 'node:worker_threads';
import { machineNanoseconds } from '../history/clock.ts';
import type { ClockFault } from './skewed-process.ts';

const trueDate = Date;
const trueNow = Date.now;
const truePerformance = performance.now.bind(performance);
const trueNanoseconds = process.hrtime.bigint;

let offset = 0;
let rate = 1;
let since = truePerformance();
/** How far the monotonic clocks were ahead then. `Date` was set. */
let aheadThen = 0;

const drifted = (): number => (truePerformance() - since) * (rate - 1);
const now = (): number => Math.floor(trueNow() + offset + drifted());
const ahead = (): number => aheadThen + drifted();

/** As when somebody sets the clock of a machine: `Date` is so wrong from now on. What is monotonic goes on from where it is. */
function set({ offsetMs = 0, rate: next = 1 }: ClockFault): void {
  aheadThen = ahead();
  since = truePerformance();
  offset = offsetMs;
  rate = next;
}

function skewDate(): void {
  const skewed = new Proxy(trueDate, {
    construct: (target, given, newTarget) => Reflect.construct(target, given.length > 0 ? given : [now()], newTarget),
    apply: (target) => new target(now()).toString(),
    get: (target, name) => (name === 'now' ? now : Reflect.get(target, name)),
  });
  trueDate.prototype.constructor = skewed;
  globalThis.Date = skewed;
}

function skewMonotonicClocks(): void {
  const nanoseconds = (): bigint => trueNanoseconds() + BigInt(Math.round(ahead() * 1e6));
  const hrtime = (from?: [number, number]): [number, number] => {
    const passed = nanoseconds() - (from ? BigInt(from[0]) * 1_000_000_000n + BigInt(from[1]) : 0n);
    return [Number(passed / 1_000_000_000n), Number(passed % 1_000_000_000n)];
  };
  Object.defineProperty(process, machineNanoseconds, { value: trueNanoseconds });
  performance.now = () => truePerformance() + ahead();
  process.hrtime = Object.assign(hrtime, { bigint: nanoseconds });
}

/** As much of it as is needed here: it is newer than the types we compile with. */
interface Temporal {
  readonly Instant: { fromEpochMilliseconds(milliseconds: number): { toZonedDateTimeISO(zone: string): Zoned } };
  readonly Now: { timeZoneId(): string };
}

interface Zoned {
  toPlainDateTime(): unknown;
  toPlainDate(): unknown;
  toPlainTime(): unknown;
}

/** What a newer Node has beside `Date`. */
function skewTemporal(): void {
  const { Temporal } = globalThis as { Temporal?: Temporal };
  if (!Temporal) return;
  const instant = (): { toZonedDateTimeISO(zone: string): Zoned } => Temporal.Instant.fromEpochMilliseconds(now());
  const zoned = (zone = Temporal.Now.timeZoneId()): Zoned => instant().toZonedDateTimeISO(zone);
  Object.assign(Temporal.Now, {
    instant,
    zonedDateTimeISO: zoned,
    plainDateTimeISO: (zone?: string) => zoned(zone).toPlainDateTime(),
    plainDateISO: (zone?: string) => zoned(zone).toPlainDate(),
    plainTimeISO: (zone?: string) => zoned(zone).toPlainTime(),
  });
}

/** One line for each order, and an empty one back when it is in force. */
function obey(descriptor: number): void {
  const orders = new Socket({ fd: descriptor }).setEncoding('utf8').unref();
  let heard = '';
  orders.on('data', (text) => {
    heard += text;
    const lines = heard.split('\n');
    heard = lines.pop() ?? '';
    for (const line of lines) {
      const order = JSON.parse(line) as ClockFault & { readonly jumpMs?: number };
      if (order.jumpMs === undefined) set(order);
      else offset += order.jumpMs;
      orders.write('\n');
    }
  });
  // Whoever started us is gone.
  orders.on('error', () => {}).on('close', () => process.kill(process.pid, 'SIGKILL'));
}

// A worker thread has clocks of its own, and no way to be told.
if (isMainThread) {
  const { searchParams } = new URL(import.meta.url);
  // Whom this program forks would load it too, and take its channel to its parent for the one with our orders.
  process.execArgv = process.execArgv.filter((argument) => argument !== `--import=${import.meta.url}`);
  set(JSON.parse(searchParams.get('clock') ?? '{}') as ClockFault);
  skewDate();
  skewMonotonicClocks();
  skewTemporal();
  obey(Number(searchParams.get('orders')));
}
