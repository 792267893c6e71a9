import type { Cluster, Redis } from 'ioredis';
import type { Latency } from '../latency.ts';
import { Expectations } from './expectations.ts';
import { type Node, Nodes } from './nodes.ts';
import type { Script } from './scripts.ts';
import { type Reading, ServerClock } from './server-clock.ts';

/** Nothing came back in time, or nothing was sent: nobody can say what Redis would have answered. */
export const silence: unique symbol = Symbol('silence');
export type Silence = typeof silence;

/** Keys in one MGET: enough to save the overhead of each, few enough that the first answers do not wait for the last. */
const largestBatch = 128;

/** Calls in one script, for as long as which Redis does nothing else. */
const largestScript = 32;

interface Read {
  readonly key: string;
  readonly resolve: (found: Buffer | null | Silence) => void;
}

/** What every client has, and its types have not. */
type WithBufferScripts = Record<
  'evalBuffer' | 'evalshaBuffer',
  (which: string, keys: number, ...rest: (string | Buffer)[]) => Promise<unknown>
>;

interface Command {
  readonly script: Script;
  readonly keys: readonly string[];
  readonly args: readonly (string | Buffer)[];
  readonly resolve: (reply: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The way to Redis. What is asked in one turn of the event loop travels together: reads as one MGET, calls of a
 * script as one call. Whatever is not answered within `timeout` resolves to `silence`; from then on the node that has the
 * key counts as away, and is not asked until it has answered a beat.
 */
export class Link {
  readonly redis: Redis | Cluster;
  readonly nodes: Nodes;
  readonly #clock: string;
  readonly #timeout: number;
  readonly #onAway: () => void;
  readonly #latency: Latency;
  readonly #expectations: Expectations;
  #reads: Read[] = [];
  #commands: Command[] = [];
  #leaving = false;
  #closed = false;
  readonly #meeting = new Set<(met: boolean) => void>();
  readonly #time = new ServerClock();

  /** `clock` is a key: whoever has it has the clock that counts for all times, for those of two nodes may differ. */
  constructor(redis: Redis | Cluster, clock: string, timeout: number, latency: Latency, onAway: () => void) {
    this.redis = redis;
    this.nodes = new Nodes(redis);
    this.#clock = clock;
    this.#timeout = timeout;
    this.#latency = latency;
    this.#onAway = onAway;
    this.#expectations = new Expectations(timeout);
  }

  /** Whether the node of this key has not answered lately: it is not asked then. */
  away(key: string): boolean {
    return !this.open || this.nodes.of(key).away;
  }

  /** Whether there is a connection, and anybody has ever answered on it. */
  get open(): boolean {
    return !this.#closed && this.redis.status === 'ready' && this.#time.known;
  }

  /** How many of the nodes answer, of how many. */
  get answering(): readonly [answering: number, of: number] {
    const all = this.nodes.all();
    return [this.open ? all.filter(({ node }) => !node.away).length : 0, all.length];
  }

  /** What the server's clock reads when ours reads this; NaN before it was read. */
  serverTime(local: number): number {
    return this.#time.at(local);
  }

  /** Whether Redis has ever answered, which the clock needs. Waits for it for as long as for any answer. */
  async meet(): Promise<boolean> {
    if (this.#time.known || this.#closed) return !this.#closed;
    // A client that waits for its first command: this is it.
    if (this.redis.status === 'wait') this.redis.connect().catch(() => {});
    return new Promise((resolve) => {
      const end = (met: boolean): void => {
        clearTimeout(timer);
        this.#meeting.delete(end);
        resolve(met);
      };
      const timer = setTimeout(end, this.#timeout, false).unref();
      this.#meeting.add(end);
    });
  }

  /** A node has answered a beat with its own time. */
  answered(node: Node, reading: Reading): void {
    node.away = false;
    if (node !== this.nodes.of(this.#clock) && this.#time.known) return;
    this.#time.read(reading);
    for (const end of this.#meeting) end(true);
  }

  /** The bytes under a key, or null where there are none. */
  read(key: string): Promise<Buffer | null | Silence> {
    if (this.away(key)) return Promise.resolve(silence);
    return new Promise((resolve) => {
      this.#reads.push({ key, resolve });
      this.#leave();
    });
  }

  /** Rejects only with what Redis itself has answered. All keys are in one slot. */
  run(script: Script, keys: readonly string[], args: readonly (string | Buffer)[]): Promise<unknown> {
    if (this.away(keys[0] as string)) return Promise.resolve(silence);
    return new Promise((resolve, reject) => {
      this.#commands.push({ script, keys, args, resolve, reject });
      this.#leave();
    });
  }

  /** A request to a node that leaves at once, whether or not it is away. */
  ask<T>(node: Node, request: () => Promise<T>): Promise<T | Silence> {
    if (this.#closed) return Promise.resolve(silence);
    return new Promise((resolve, reject) => {
      const done = this.#expect(node, () => resolve(silence));
      request().then(
        (reply) => {
          done();
          resolve(reply);
        },
        (error) => {
          done();
          if (isAnswer(error)) reject(error);
          else resolve(silence);
        },
      );
    });
  }

  /** What was asked for until now is sent, and nobody waits for an answer any more. */
  close(): void {
    this.#depart();
    this.#closed = true;
    this.#expectations.close();
    for (const end of this.#meeting) end(false);
  }

  /** At the end of this turn: whoever else asks until then comes along. */
  #leave(): void {
    if (this.#leaving) return;
    this.#leaving = true;
    process.nextTick(this.#depart);
  }

  readonly #depart = (): void => {
    this.#leaving = false;
    if (this.#commands.length > 0) {
      const commands = this.#commands;
      this.#commands = [];
      this.#sendCommands(commands);
    }
    if (this.#reads.length > 0) {
      const reads = this.#reads;
      this.#reads = [];
      // The keys of one MGET must be in one slot: in a cluster each goes by itself.
      const size = this.redis.isCluster ? 1 : largestBatch;
      if (reads.length <= size) this.#sendReads(reads);
      else for (let from = 0; from < reads.length; from += size) this.#sendReads(reads.slice(from, from + size));
    }
  };

  #sendReads(reads: readonly Read[]): void {
    const [first] = reads as [Read];
    const node = this.nodes.of(first.key);
    const fail = (found: null | Silence): void => {
      for (const { resolve } of reads) resolve(found);
    };
    const done = this.#expect(node, () => fail(silence));
    // Something else than a string stands there: nothing of ours, and a write puts that right.
    const failed = (error: unknown): void => {
      done();
      const answered = isAnswer(error);
      if (!answered) this.#lost(node);
      fail(answered ? null : silence);
    };
    if (reads.length === 1) {
      this.redis.getBuffer(first.key).then((found) => {
        done();
        first.resolve(found);
      }, failed);
      return;
    }
    const keys = reads.map(({ key }) => key);
    this.redis.mgetBuffer(keys).then((found) => {
      done();
      for (let i = 0; i < reads.length; i += 1) (reads[i] as Read).resolve(found[i] ?? null);
    }, failed);
  }

  #sendCommands(commands: readonly Command[]): void {
    const alike = Map.groupBy(commands, ({ script }) => script);
    for (const [script, group] of alike) {
      // In a cluster the keys of one request must be in one slot.
      const size = script.each === undefined || this.redis.isCluster ? 1 : largestScript;
      for (let from = 0; from < group.length; from += size) this.#call(script, group.slice(from, from + size));
    }
  }

  /** Several calls of one script as one request. */
  #call(script: Script, commands: readonly Command[]): void {
    const keys = commands.flatMap((command) => command.keys);
    const args = commands.flatMap((command) => command.args);
    const node = this.nodes.of(keys[0] as string);
    const answer = (reply: unknown): void => {
      for (const [index, command] of commands.entries()) {
        const own = reply === silence || script.each === undefined ? reply : (reply as unknown[])[index];
        if (own instanceof Error) failed(own, [command]);
        else command.resolve(own);
      }
    };
    const failed = (error: unknown, concerned = commands): void => {
      if (isUnknownScript(error)) {
        this.ask(node, () => this.#evaluate('eval', script, keys, args)).then(answer, failed);
        return;
      }
      const refused = isAnswer(error);
      if (!refused) this.#lost(node);
      for (const { resolve, reject } of concerned) {
        if (refused) reject(error);
        else resolve(silence);
      }
    };
    const done = this.#expect(node, () => answer(silence));
    this.#evaluate('evalsha', script, keys, args).then(
      (reply) => {
        done();
        answer(reply);
      },
      (error) => {
        done();
        failed(error);
      },
    );
  }

  #evaluate(
    command: 'eval' | 'evalsha',
    { lua, sha, bytes }: Script,
    keys: readonly string[],
    args: readonly (string | Buffer)[],
  ): Promise<unknown> {
    const which = command === 'eval' ? lua : sha;
    if (!bytes) return this.redis[command](which, keys.length, ...keys, ...args);
    // Not `callBuffer`: that does not work where the client pipelines commands by itself.
    return (this.redis as unknown as WithBufferScripts)[`${command}Buffer`](which, keys.length, ...keys, ...args);
  }

  #lost(node: Node): void {
    if (node.away || this.#closed) return;
    node.away = true;
    this.#onAway();
  }

  #expect(node: Node, overdue: () => void): () => void {
    const expectation = this.#expectations.expect(() => {
      this.#lost(node);
      overdue();
    });
    return () => {
      if (expectation.ended) return;
      expectation.end();
      this.#latency.add(performance.now() - expectation.since);
    };
  }
}

/** Whether Redis has said it, not the way there. */
function isAnswer(error: unknown): boolean {
  return (
    error instanceof Error &&
    error.name === 'ReplyError' &&
    !/^(LOADING|MASTERDOWN|READONLY|CLUSTERDOWN|MOVED|TRYAGAIN)/.test(error.message)
  );
}

function isUnknownScript(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('NOSCRIPT');
}
