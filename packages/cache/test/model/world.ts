import { setImmediate } from 'node:timers/promises';
import { Cache } from '../../src/index.ts';
import { Changes } from './changes.ts';
import type { Exchange, Word } from './exchange.ts';
import { Readers } from './readers.ts';
import { nothingProved, type Process, type Proved, type Scene } from './scene.ts';
import { processes, type Step } from './schedule.ts';
import { Wire, ways } from './wire.ts';
import { Writers } from './writers.ts';

/** Nothing here is to happen by time: the schedule says what happens. */
const times = {
  ttl: '1h',
  stale: '1h',
  heartbeat: '20s',
  lease: '40s',
  redisTimeout: '1m',
  loadTimeout: '1m',
  local: { trust: '1m' },
} as const;

/** One schedule: caches on wires of their own, what they were asked, and what the origin had come to. */
export class World implements Scene {
  /** What happened, for whoever must find out why. */
  readonly story: string[] = [];
  readonly proved: Proved = nothingProved();
  readonly changes: Changes = new Changes();
  broken = false;
  published = 0;
  step = 0;
  readonly #exchange: Exchange;
  readonly #prefix: string;
  readonly #leave: () => void;
  readonly #processes: Process[];
  readonly #readers: Readers = new Readers(this);
  readonly #writers: Writers = new Writers(this, this.#readers);
  /** The names of all leases that were asked for. */
  readonly #leases = new Set<string>();
  /** Who says this, when somebody says it. */
  readonly #senders = new Map<string, number>();
  readonly #underWay = new Set<Promise<void>>();
  #moves = 0;
  /** The server was asked for something since all was quiet. */
  #asked = false;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
    const { prefix, leave } = exchange.join((word) => this.#hear(word));
    this.#prefix = prefix;
    this.#leave = leave;
    this.#processes = Array.from({ length: processes }, (_, by) => this.#process(by));
  }

  async play(steps: readonly Step[]): Promise<void> {
    await this.#quiet();
    for (const [index, step] of steps.entries()) {
      this.step = index;
      this.tell(`${index}: ${Object.values(step).join(' ')}`);
      this.#take(step);
      await this.#quiet();
      this.changes.sweep((by) => this.#at(by).wire.astray);
    }
    await this.#end();
  }

  async close(): Promise<void> {
    this.#readers.leaveAll();
    this.#writers.giveUp();
    for (const { wire } of this.#processes) for (const way of ways) wire.flow(way);
    await Promise.all(this.#processes.map((process) => this.#stop(process)));
    this.#leave();
  }

  tell(line: string): void {
    this.story.push(line);
  }

  breach(): void {
    this.broken = true;
    this.tell('   which is a breach');
  }

  follow(work: Promise<void>): void {
    const followed = work.finally(() => this.#underWay.delete(followed));
    this.#underWay.add(followed);
  }

  #process(by: number, first?: 'held' | 'deaf'): Process {
    const world = this;
    const behind = {
      execute: (command: string, args: readonly unknown[]) => {
        this.#asked = true;
        for (const arg of args.flat()) {
          if (typeof arg !== 'string') continue;
          if (arg.endsWith(':lease')) this.#leases.add(arg);
          if (/^k\S+ /.test(arg)) this.#senders.set(arg, by);
        }
        return this.#exchange.execute(command, args);
      },
      moved: () => {
        this.#moves += 1;
      },
      get published() {
        return world.published;
      },
    };
    const wire = new Wire(behind, first);
    return { by, wire, cache: new Cache({ redis: wire.client, prefix: this.#prefix, early: 0, ...times }) };
  }

  #at(by: number): Process {
    return this.#processes[by] as Process;
  }

  async #stop({ cache }: Process): Promise<void> {
    const { hits, staleServed } = cache.stats();
    this.proved.remembered += hits.local;
    this.proved.stale += staleServed;
    await cache.stop();
  }

  #take(step: Step): void {
    if (step.do === 'loaded') {
      this.#readers.loaded();
      return;
    }
    const process = this.#at(step.by);
    const { wire } = process;
    if (step.do === 'get') this.#readers.get(process, step.key, step.slow);
    else if (step.do === 'many') this.#readers.many(process, step.slow);
    else if (step.do === 'leave') this.#readers.leave(step.by);
    else if (step.do === 'lead') this.#writers.lead(process, step.how);
    else if (step.do === 'set' || step.do === 'delete') this.#writers.write(process, step.do, step.key);
    else if (step.do === 'invalidate') this.#writers.invalidate(process, step.tags);
    else if (step.do === 'clear') this.#writers.clear(process);
    else if (step.do === 'move') this.#writers.move(process);
    else if (step.do === 'break') wire.break(step.reached, step.late);
    else if (step.do === 'land') wire.land();
    else if (step.do === 'renew') this.#renew(process, step.first);
    else if (step.do === 'deafen') wire.deafen();
    else if (step.do === 'mend') this.#mend(wire);
    else if (step.do === 'hold') wire.hold(step.way);
    else if (step.do === 'flow') wire.flow(step.way);
    else wire.advance(step.way);
  }

  #mend(wire: Wire): void {
    if (!wire.connected || !wire.listening) wire.mend();
  }

  #renew(old: Process, first: 'held' | 'deaf'): void {
    old.wire.land();
    old.wire.break(0, false);
    this.follow(this.#stop(old));
    this.#processes[old.by] = this.#process(old.by, first);
  }

  /** All that is held is let go; then every process is asked for every key, and must know of every change. */
  async #end(): Promise<void> {
    for (const { wire } of this.#processes) {
      wire.land();
      for (const way of ways) wire.flow(way);
      this.#mend(wire);
    }
    do await this.#quiet();
    while (this.#readers.loaded());
    // Whose lease was never given back keeps others waiting until it ends by itself.
    await this.#exchange.forget([...this.#leases]);
    this.#readers.leaveAll();
    this.#writers.giveUp();
    await Promise.all(this.#underWay);
    this.step = Number.POSITIVE_INFINITY;
    // Of what nobody has asked for there is nothing old.
    for (const key of [...this.#readers.known]) {
      for (const process of this.#processes) this.#readers.get(process, key, false);
      await this.#quiet();
    }
    await Promise.all(this.#underWay);
  }

  #hear(word: Word): void {
    this.published += 1;
    const change = this.changes.said(word.text, this.#senders.get(word.text), this.published);
    if (change) {
      this.tell(`   change ${change.value} of ${change.by} is word ${change.said}`);
      if (change.failed !== undefined && change.failed < this.step) this.proved.late += 1;
      if (change.how === 'set' && change.keys[0] === 'led' && this.changes.refused(change.value, this.step))
        this.breach();
    }
    for (const { wire } of this.#processes) wire.told(word);
  }

  /** Until nothing moves any more that is not held. */
  async #quiet(): Promise<void> {
    let before: number;
    do {
      before = this.#moves;
      if (this.#asked) {
        this.#asked = false;
        await this.#exchange.settled();
      }
      await setImmediate();
      await setImmediate();
    } while (this.#moves !== before);
  }
}
