import { deadline, type InvalidArgumentError, sleep } from '@quorate/core';
import { type ConnectString, parseConnectString, type Server, serverName } from '../connect-string.ts';
import { ServerListError } from '../errors/server-list-error.ts';

/** A connect string, or a function that is asked for one before each round of attempts. `signal` aborts when nobody waits for the answer any more. */
export type Servers = string | ((asked: { readonly signal: AbortSignal }) => string | Promise<string>);

type Ask = Exclude<Servers, string>;

/** The servers of one round of attempts. */
export interface Candidates {
  readonly servers: readonly Server[];
  /** To be tried after those. */
  readonly fallback: readonly Server[];
  /** Why the function has given no list this time. */
  readonly failure: ServerListError | undefined;
}

export interface Asking {
  /** In milliseconds. An answer may take as long; a round waits for a tenth of it, and goes on with the last list. */
  readonly sessionTimeout: number;
  readonly signal: AbortSignal;
}

/** Where the servers are, as far as is known by now. The chroot of the first list stays. */
export class ServerList {
  readonly #ask: Ask | undefined;
  #given: ConnectString | undefined;
  #members: readonly Server[] = [];
  /** A call that has not been answered. Resolves with what was wrong, if anything. */
  #asking: Promise<ServerListError | undefined> | undefined;
  /** The first answer cannot be used. */
  #refusal: InvalidArgumentError | undefined;

  constructor(servers: Servers) {
    if (typeof servers === 'function') this.#ask = servers;
    else this.#given = parseConnectString(servers);
  }

  get chroot(): string {
    return this.#given?.chroot ?? '';
  }

  /** Those that the ensemble has told of: they are tried first. */
  get members(): readonly Server[] {
    return this.#members;
  }

  follow(members: readonly Server[]): void {
    this.#members = members;
  }

  /** Whether any of these is on the list that was given, under the same name. */
  namesAny(members: readonly Server[]): boolean {
    const names = new Set(members.map(serverName));
    return this.#given?.servers.some((server) => names.has(serverName(server))) ?? false;
  }

  /** Rejects with an InvalidArgumentError when the first list is none. */
  async round(asking: Asking): Promise<Candidates> {
    const failure = this.#ask && (await this.#renew(this.#ask, asking));
    const given = this.#given?.servers ?? [];
    if (this.#members.length === 0) return { servers: given, fallback: [], failure };
    const names = new Set(this.#members.map(serverName));
    const fallback = given.filter((server) => !names.has(serverName(server)));
    return { servers: this.#members, fallback, failure };
  }

  toString(): string {
    const servers = this.#given?.servers.map(serverName).join(',') ?? '';
    return this.#ask ? `what the function gives (${servers || 'nothing yet'})` : `${servers}${this.chroot}`;
  }

  async #renew(ask: Ask, { sessionTimeout, signal }: Asking): Promise<ServerListError | undefined> {
    // One that hangs is not called again until its time is up.
    this.#asking ??= this.#answered(ask, { sessionTimeout, signal }).finally(() => {
      this.#asking = undefined;
    });
    const waited = new AbortController();
    const patience = Math.max(sessionTimeout / 10, 50);
    const late = new ServerListError(`has not answered within ${Math.round(patience)} ms`);
    const enough = sleep(patience, { signal: AbortSignal.any([signal, waited.signal]) }).catch(() => undefined);
    const failure = await Promise.race([this.#asking, enough.then(() => late)]);
    waited.abort();
    const refusal = this.#refusal;
    this.#refusal = undefined;
    if (refusal) throw refusal;
    return failure;
  }

  async #answered(ask: Ask, { sessionTimeout, signal }: Asking): Promise<ServerListError | undefined> {
    using limit = deadline(sessionTimeout, signal);
    const over = Promise.withResolvers<never>();
    const aborted = (): void => over.reject(limit.signal.reason);
    limit.signal.addEventListener('abort', aborted, { once: true });
    if (limit.signal.aborted) aborted();
    let answer: unknown;
    try {
      answer = await Promise.race([(async () => ask({ signal: limit.signal }))(), over.promise]);
    } catch (error) {
      return new ServerListError(`has failed (${error instanceof Error ? error.message : error})`, { cause: error });
    } finally {
      limit.signal.removeEventListener('abort', aborted);
    }
    return this.#take(answer);
  }

  /** Also what comes after the round that asked for it: the next one has it. */
  #take(answer: unknown): ServerListError | undefined {
    let parsed: ConnectString;
    try {
      parsed = parseConnectString(answer);
    } catch (error) {
      if (!this.#given) this.#refusal = error as InvalidArgumentError;
      return new ServerListError(`has given what is no list (${(error as Error).message})`, { cause: error });
    }
    if (this.#given && parsed.chroot !== this.#given.chroot) {
      const [before, now] = [this.#given.chroot, parsed.chroot].map((chroot) => chroot || '/');
      return new ServerListError(`has given the chroot ${now}; it was ${before}, and stays so`);
    }
    this.#given = parsed;
    this.#refusal = undefined;
    return undefined;
  }
}
