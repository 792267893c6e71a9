import { type Ask, ask, type Whom } from './ask.ts';
import type { Broker } from './kafkajs-package.ts';
import type { Link } from './link.ts';

/** The broker that keeps the books of a group, or of a transactional id. It may be another one at any time. */
export class Coordinator implements Whom {
  readonly #link: Link;
  readonly #id: string;
  readonly #type: number;
  #broker: Broker | undefined;

  constructor(link: Link, of: { readonly group: string } | { readonly transactionalId: string }) {
    this.#link = link;
    [this.#id, this.#type] = 'group' in of ? [of.group, 0] : [of.transactionalId, 1];
  }

  /** The one known now; looks for it when there is none. */
  async find(): Promise<Broker> {
    if (this.#broker) return this.#broker;
    const any = await this.#link.any();
    const { coordinator } = await any.findGroupCoordinator({ groupId: this.#id, coordinatorType: this.#type });
    if (!this.#link.nodes.includes(String(coordinator.nodeId))) await this.#link.look([]);
    this.#broker = await this.#link.broker(coordinator.nodeId);
    return this.#broker;
  }

  forget(): void {
    this.#broker = undefined;
  }

  /** Whatever it was asked for fails. */
  drop(why: string): void {
    if (this.#broker) this.#link.drop(this.#broker, why);
    this.forget();
  }

  ask<T>(what: Ask, request: (broker: Broker) => Promise<T>): Promise<T> {
    return ask(this, what, request);
  }
}
