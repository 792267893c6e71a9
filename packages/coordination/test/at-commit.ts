import type { Transaction, ZooKeeper } from '@quorate/zookeeper';

type Commit = () => ReturnType<Transaction['commit']>;

/** The same session, but `meanwhile` decides what comes before and after the moment a transaction is sent. */
export function atCommit(zk: ZooKeeper, meanwhile: (commit: Commit) => ReturnType<Transaction['commit']>): ZooKeeper {
  return new Proxy(zk, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (name !== 'transaction') return typeof value === 'function' ? value.bind(target) : value;
      return () => {
        const transaction = target.transaction();
        const commit = transaction.commit.bind(transaction);
        transaction.commit = (options) => meanwhile(() => commit(options));
        return transaction;
      };
    },
  });
}
