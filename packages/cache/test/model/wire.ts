import { EventEmitter } from 'node:events';
import type { Redis } from 'ioredis';
import type { Word } from './exchange.ts';

/** What a cache asks of its client. */
const commands = [
  ...['evalsha', 'eval', 'evalshaBuffer', 'evalBuffer'],
  ...['getBuffer', 'mgetBuffer', 'get', 'publish', 'time'],
];

/** The three ways of a process: requests to the server, replies from it, and word of what others change. */
export const ways = ['requests', 'replies', 'word'] as const;
export type Way = (typeof ways)[number];

interface Request {
  readonly command: string;
  readonly args: readonly unknown[];
  readonly resolve: (reply: unknown) => void;
  readonly reject: (error: unknown) => void;
}

interface Reply {
  readonly command: string;
  readonly reject: (error: unknown) => void;
  /** Once it has arrived. */
  release: (() => void) | undefined;
}

/** The server behind a wire, and how the schedule learns that something moves. */
export interface Behind {
  execute(command: string, args: readonly unknown[]): Promise<unknown>;
  moved(): void;
  /** How much has been published so far. */
  readonly published: number;
}

/**
 * A client of a real server whose two connections obey: what is on its way goes on when the schedule says so. Each
 * connection keeps its own order; between the two there is none.
 */
export class Wire extends EventEmitter {
  readonly options = { keyPrefix: '', scaleReads: 'master' };
  readonly isCluster = false;
  status = 'ready';
  /** What word has been given to the process, by its place in all that was published. */
  readonly heard: Set<number> = new Set();
  /** What was published before this is what the process knows that it has missed. */
  listensSince = 0;
  /** How often the connection for commands has broken. */
  breaks = 0;
  /** Whether anything that was sent on a connection that has broken since may still reach the server. */
  get astray(): boolean {
    return this.#astray.length > 0;
  }
  readonly #behind: Behind;
  readonly #held = new Set<Way>();
  readonly #requests: Request[] = [];
  #replies: Reply[] = [];
  #astray: Request[] = [];
  #word: { readonly word: Word; readonly number: number }[] = [];
  #ear: Ear | undefined;
  #answered = false;
  /** Nobody can listen. */
  #deaf: boolean;

  constructor(behind: Behind, first?: 'held' | 'deaf') {
    super();
    this.#behind = behind;
    this.#deaf = first === 'deaf';
    if (first === 'held') this.hold('replies');
    for (const command of commands) {
      Object.assign(this, { [command]: (...args: unknown[]) => this.#send(command, args) });
    }
  }

  get client(): Redis {
    return this as unknown as Redis;
  }

  /** False from the moment the process is told that nothing will be heard any more. */
  get listening(): boolean {
    return this.#ear !== undefined;
  }

  /** Whether there is a connection for commands. */
  get connected(): boolean {
    return this.status === 'ready';
  }

  /** Whether nobody has ever answered. */
  get isNew(): boolean {
    return this.breaks === 0 && !this.#answered;
  }

  /** Whether the process knows of it: its last beat was answered. */
  get reachable(): boolean {
    return this.connected && this.#answered;
  }

  hold(way: Way): void {
    this.#held.add(way);
  }

  flow(way: Way): void {
    this.#held.delete(way);
    this.#pump();
  }

  /** The oldest of what is held goes on. */
  advance(way: Way): void {
    if (way === 'requests') this.#execute();
    else if (way === 'replies') this.#release();
    else this.#tell();
  }

  /**
   * The connection for commands breaks: of the requests on their way so many have reached the server, or will when they
   * `land`, and no reply arrives.
   */
  break(reached: number, late: boolean): void {
    this.status = 'reconnecting';
    this.breaks += 1;
    this.#answered = false;
    const reaching = this.#requests.splice(0, reached);
    for (const { reject } of reaching) reject(lost());
    this.#astray.push(...reaching);
    if (!late) this.land();
    for (const { reject } of [...this.#requests.splice(0), ...this.#replies.splice(0)]) reject(lost());
    this.#behind.moved();
  }

  land(): void {
    for (const { command, args } of this.#astray.splice(0)) this.#behind.execute(command, args).catch(() => {});
    this.#behind.moved();
  }

  mend(): void {
    this.status = 'ready';
    this.#deaf = false;
    this.#behind.moved();
    this.emit('ready');
  }

  /** The connection for changes breaks: what was on its way on it is lost. */
  deafen(): void {
    const ear = this.#ear;
    this.#deaf = true;
    this.#hang();
    this.#behind.moved();
    ear?.emit('end');
  }

  /** Something was published: the last of `behind.published`. */
  told(word: Word): void {
    if (this.#ear === undefined) return;
    this.#word.push({ word, number: this.#behind.published });
    this.#pump();
  }

  duplicate(): Ear {
    return new Ear(
      (ear) => {
        if (this.#deaf) throw lost();
        this.#ear = ear;
        this.listensSince = this.#behind.published;
        this.#behind.moved();
      },
      (ear) => {
        if (this.#ear === ear) this.#hang();
      },
    );
  }

  async connect(): Promise<void> {}

  #hang(): void {
    this.#ear = undefined;
    this.#word = [];
  }

  #send(command: string, args: readonly unknown[]): Promise<unknown> {
    if (!this.connected) return Promise.reject(lost());
    return new Promise((resolve, reject) => {
      this.#requests.push({ command, args, resolve, reject });
      this.#pump();
    });
  }

  #pump(): void {
    while (!this.#held.has('requests') && this.#requests.length > 0) this.#execute();
    while (!this.#held.has('replies') && this.#replies[0]?.release) this.#release();
    while (!this.#held.has('word') && this.#word.length > 0) this.#tell();
  }

  #execute(): void {
    const request = this.#requests.shift();
    if (request === undefined) return;
    this.#behind.moved();
    const { command, args, resolve, reject } = request;
    const reply: Reply = { command, reject, release: undefined };
    this.#replies.push(reply);
    const arrived = (release: () => void): void => {
      reply.release = release;
      this.#pump();
    };
    this.#behind.execute(command, args).then(
      (value) => arrived(() => resolve(value)),
      (error) => arrived(() => reject(error)),
    );
  }

  #release(): void {
    const [reply] = this.#replies;
    const release = reply?.release;
    if (release === undefined) return;
    this.#replies.shift();
    if (reply?.command === 'time') this.#answered = true;
    this.#behind.moved();
    release();
  }

  #tell(): void {
    const next = this.#word.shift();
    if (next === undefined) return;
    this.#behind.moved();
    this.heard.add(next.number);
    const { channel, text } = next.word;
    if (this.#ear?.channels.includes(channel)) this.#ear.emit('message', channel, text);
  }
}

/** The connection for changes. */
export class Ear extends EventEmitter {
  channels: readonly string[] = [];
  readonly #open: (ear: Ear) => void;
  readonly #close: (ear: Ear) => void;

  constructor(open: (ear: Ear) => void, close: (ear: Ear) => void) {
    super();
    this.#open = open;
    this.#close = close;
  }

  async connect(): Promise<void> {}

  async subscribe(...channels: string[]): Promise<void> {
    this.channels = channels;
    this.#open(this);
  }

  disconnect(): void {
    this.#close(this);
  }
}

function lost(): Error {
  return new Error('Connection is closed.');
}
