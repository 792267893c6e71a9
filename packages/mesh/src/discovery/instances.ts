import { checkNames, type Duration, InvalidArgumentError } from '@quorate/core';
import type { Agent, Answer } from '../agent/agent.ts';
import { list } from '../agent/shape.ts';
import { checkService, checkText } from '../arguments.ts';
import { milliseconds } from '../duration.ts';
import { Roll } from './roll.ts';
import { type HealthEntry, healthEntry, type ServiceInstance } from './service-instance.ts';
import { type Followed, Following, type Watch } from './watch.ts';

export interface DiscoveryOptions {
  /** Only instances whose checks all pass. */
  readonly passing?: boolean;
  /** Only instances that have this tag, or all of these. */
  readonly tag?: string | readonly string[];
  /** Nearest first, by round trip: from this node, or from the agent's with `_agent`. */
  readonly near?: string;
  /** An expression of Consul's: `Service.Meta.version == "2"`. */
  readonly filter?: string;
  /** `stale` is answered by any server, also while there is no leader. Default: the leader answers. */
  readonly consistency?: 'default' | 'stale' | 'consistent';
  readonly signal?: AbortSignal;
}

export interface WatchOptions extends DiscoveryOptions {
  /** How long the agent may hold an answer back while nothing changes. Default 60 s. */
  readonly wait?: Duration;
  /** How long to try before there has been any answer. Default 30 s; afterwards it never gives up. */
  readonly patience?: Duration;
}

const entries = list(healthEntry);

const names = ['passing', 'tag', 'near', 'filter', 'consistency', 'signal'];

/** The instances there are now. */
export async function readInstances(
  agent: Agent,
  service: string,
  options: DiscoveryOptions,
): Promise<readonly ServiceInstance[]> {
  const asked = checkDiscovery(service, options, names);
  const { body } = await ask(agent, service, asked, { signal: options.signal });
  return new Roll(options.near !== undefined).read(body, true);
}

export function watchInstances(
  agent: Agent,
  service: string,
  options: WatchOptions,
): Watch<readonly ServiceInstance[]> & Followed<readonly ServiceInstance[]> {
  const asked = checkDiscovery(service, options, [...names, 'wait', 'patience']);
  const roll = new Roll(options.near !== undefined);
  return new Following({
    watched: `service ${service}`,
    ask: (turn) => ask(agent, service, asked, turn),
    read: (body: readonly HealthEntry[], anew) => roll.read(body, anew),
    same: (a, b) => a === b,
    signal: options.signal,
    wait: options.wait === undefined ? undefined : milliseconds('wait', options.wait, 1_000),
    patience: options.patience === undefined ? undefined : milliseconds('patience', options.patience, 0),
  });
}

function checkDiscovery(service: string, options: DiscoveryOptions, known: readonly string[]): Record<string, unknown> {
  checkService('service', service);
  checkNames('options', options, known);
  const { passing = false, tag, near, filter, consistency = 'default' } = options;
  if (typeof passing !== 'boolean') throw new InvalidArgumentError('passing', 'true or false', passing);
  const tags = tag === undefined ? [] : typeof tag === 'string' ? [tag] : tag;
  for (const each of tags) checkText('tag', each);
  if (near !== undefined) checkText('near', near);
  if (filter !== undefined) checkText('filter', filter);
  if (!['default', 'stale', 'consistent'].includes(consistency)) {
    throw new InvalidArgumentError('consistency', 'default, stale or consistent', consistency);
  }
  return {
    ...(passing && { passing }),
    ...(tags.length > 0 && { tag: tags }),
    ...(near !== undefined && { near }),
    ...(filter !== undefined && { filter }),
    ...(consistency !== 'default' && { [consistency]: true }),
  };
}

interface Asking {
  readonly index?: string;
  readonly wait?: string;
  readonly timeout?: number;
  readonly signal?: AbortSignal | undefined;
  readonly background?: true;
}

function ask(
  agent: Agent,
  service: string,
  asked: Record<string, unknown>,
  { index, wait, ...rest }: Asking,
): Promise<Answer<readonly HealthEntry[]>> {
  const operation = `find ${service}`;
  return agent.ask({ operation, path: '/health/service', whole: true, shape: entries, ...rest }, (client, options) =>
    client.health.service({ service, ...asked, ...(index && { index, wait }), ...options }),
  );
}
