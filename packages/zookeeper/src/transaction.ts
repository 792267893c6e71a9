import { InvalidArgumentError } from '@quorate/core';
import { checkData, checkVersion } from './arguments.ts';
import { checkPath } from './path.ts';
import { type Acl, checkAcl, openAcl } from './protocol/acl.ts';
import { type CreateMode, createFlags, isSequential } from './protocol/create-mode.ts';
import type { Step, StepResult } from './protocol/multi.ts';

export interface TransactionCreateOptions {
  readonly mode?: CreateMode | undefined;
  readonly acl?: readonly Acl[] | undefined;
  readonly ttl?: number | undefined;
}

/** Sends the steps, with the paths that a client uses, and resolves with what each came to. */
export type Commit = (steps: readonly Step[], signal: AbortSignal | undefined) => Promise<StepResult[]>;

/**
 * Writes that all happen or none does. Steps are checked as they are added, and sent together by `commit`, once. When it
 * rejects with an error whose `happened` is `no`, nothing was done; otherwise all of it may have been, or nothing.
 */
export class Transaction {
  readonly #commit: Commit;
  readonly #acl: readonly Acl[];
  readonly #steps: Step[] = [];
  #committed = false;

  /** `acl` is for what is created without one. */
  constructor(commit: Commit, acl: readonly Acl[] = openAcl) {
    this.#commit = commit;
    this.#acl = acl;
  }

  /** The whole fails unless the node has this version; 0 is a version like any other. Without one, unless it exists. */
  check(path: string, version?: number): this {
    checkPath(path);
    return this.#add({ kind: 'check', path, clientPath: path, version: checkVersion(version) });
  }

  create(path: string, data: Uint8Array | string = '', options: TransactionCreateOptions = {}): this {
    const { mode = 'persistent', acl = this.#acl, ttl } = options;
    const flags = createFlags(mode, ttl);
    checkPath(isSequential(mode) ? `${path}0` : path);
    checkAcl(acl);
    return this.#add({ kind: 'create', path, clientPath: path, data: checkData(data), acl, flags, ttl });
  }

  set(path: string, data: Uint8Array | string, { version }: { readonly version?: number | undefined } = {}): this {
    checkPath(path);
    return this.#add({ kind: 'set', path, clientPath: path, data: checkData(data), version: checkVersion(version) });
  }

  delete(path: string, { version }: { readonly version?: number | undefined } = {}): this {
    checkPath(path);
    return this.#add({ kind: 'delete', path, clientPath: path, version: checkVersion(version) });
  }

  async commit({ signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<StepResult[]> {
    if (this.#committed) throw new InvalidArgumentError('transaction', 'one that has not been committed yet');
    this.#committed = true;
    return this.#steps.length === 0 ? [] : this.#commit(this.#steps, signal);
  }

  #add(step: Step): this {
    if (this.#committed) throw new InvalidArgumentError('transaction', 'one that has not been committed yet');
    this.#steps.push(step);
    return this;
  }
}
