import type { PortName, PortsOf, PortsOption } from './own-ports.ts';

/** Where a server of your own is: known before it starts, and the same after each restart. */
export interface Place<P extends PortsOption = PortsOption> {
  /** Its own folder, with its data; it runs there unless `cwd` says otherwise. */
  readonly folder: string;
  /** Its first port; 0 where it has none. */
  readonly port: number;
  readonly ports: PortsOf<P>;
}

/**
 * How a server shows that it serves: to a question of yours (true when it does; an error, or false, means not yet; whatever
 * else is truthy is refused), by
 * a successful answer to `GET` of a path, by an open port, or by a line that it logs.
 */
export type Ready<P extends PortsOption = PortsOption> =
  | ((signal: AbortSignal, place: Place<P>) => boolean | Promise<boolean>)
  | { readonly http: string; readonly port?: PortName<P> }
  | { readonly tcp: true; readonly port?: PortName<P> }
  | { readonly log: RegExp };

/** A server of your own. */
export interface OwnServerOptions<P extends PortsOption = PortsOption> {
  /** Unique in its bed: links, schedules of faults and `bed.server(name)` know it by this. */
  readonly name: string;
  /** A program on PATH, or the path of one. */
  readonly command: string;
  readonly args?: readonly string[] | ((place: Place<P>) => readonly string[]);
  /** Added to the environment of this process. */
  readonly env?: Variables | ((place: Place<P>) => Variables);
  /** Free ports of loopback, by name or by number; the first is where links lead. Default 1. It must listen on 127.0.0.1. */
  readonly ports?: P;
  readonly ready: Ready<P>;
  /** Written into its folder before it first starts, by path. */
  readonly files?: Readonly<Record<string, string>> | ((place: Place<P>) => Readonly<Record<string, string>>);
  /** A folder whose content is copied into its own before it first starts. */
  readonly folder?: string;
  /** Where it runs. Default: in its own folder. */
  readonly cwd?: string;
  /** How long it may take to become ready, in milliseconds. Default 60,000. */
  readonly startWithin?: number;
}

export type Variables = Readonly<Record<string, string | undefined>>;
