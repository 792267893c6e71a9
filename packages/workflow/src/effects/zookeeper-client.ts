/** What is needed of a transaction: that of `@quorate/zookeeper` has it. */
export interface ZooKeeperTransaction {
  create(path: string, data?: string): unknown;
  set(path: string, data: string, options?: { readonly version?: number }): unknown;
  commit(): Promise<unknown>;
}

/** What is needed of a client: that of `@quorate/zookeeper` has it. */
export interface ZooKeeperClient<Transaction extends ZooKeeperTransaction> {
  get(path: string): Promise<{
    readonly data: Uint8Array;
    readonly stat: { readonly version: number; readonly ctime: bigint };
  }>;
  children(path: string): Promise<{ readonly names: readonly string[] }>;
  create(path: string, data: string, options: { readonly parents: boolean }): Promise<unknown>;
  delete(path: string, options: { readonly version: number }): Promise<unknown>;
  transaction(): Transaction;
}

/** A node with JSON in it. */
export interface JsonNode<Value> {
  readonly value: Value;
  readonly version: number;
  /** By a server's clock, in milliseconds since 1970. */
  readonly created: number;
}
