import { eventually } from '@quorate/testbed';
import { EnvoyAdmin } from '../src/sidecar/envoy-admin.ts';
import type { Resident } from './town.ts';

/** So much of an answer is shown. */
const most = 6_000;

/** The parts of Envoy's configuration that can be on their way for ever: what is in use, what waits, what was refused. */
interface Configuration {
  readonly configs: readonly Readonly<Record<string, unknown>>[];
}

/**
 * Waits for the first traffic between services. Where it does not come, what Consul and the sidecars think of one another is
 * shown, as long as they can still be asked.
 */
export async function traffic(
  consul: string,
  residents: readonly Resident[],
  flows: () => Promise<boolean>,
): Promise<void> {
  try {
    await eventually('traffic', flows);
  } catch (error) {
    console.log(await picture(consul, residents));
    throw error;
  }
}

async function picture(consul: string, residents: readonly Resident[]): Promise<string> {
  const lines: string[] = [];
  for (const { instance, sidecar, upstream, service } of residents) {
    lines.push(`${sidecar.proxyId} is ${sidecar.state}, restarted ${sidecar.restarts} times`);
    lines.push(`It has logged: ${sidecar.log.join('\n')}`);
    lines.push(`The service itself: ${await read(service.url)}`);
    for (const [name, url] of Object.entries(upstream)) lines.push(`${name} from here: ${await read(url)}`);
    const envoy = async (path: string, part: (text: string) => string = (text) => text): Promise<string> => {
      const answer = new EnvoyAdmin(sidecar.adminSocket ?? '').ask(path).then(part, String);
      return `${path}:\n${(await answer).slice(0, most)}`;
    };
    lines.push(await envoy('/clusters', (text) => text.replaceAll(/^.*::(?:default|high)_priority.*\n/gm, '')));
    lines.push(await envoy('/config_dump?include_eds', shape));
    lines.push(await envoy('/stats?filter=(cds|lds|rds|eds|sds|control_plane|warming|rejected|connect_fail)'));
    for (const path of [`health/connect/${instance.name}`, `health/service/${instance.name}`]) {
      lines.push(await read(`${consul}/v1/${path}`));
    }
  }
  lines.push(await read(`${consul}/v1/agent/checks`));
  return lines.join('\n');
}

async function read(url: string): Promise<string> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(5_000) });
    return `${url}: ${answer.status}\n${(await answer.text()).slice(0, most)}`;
  } catch (error) {
    return `${url}: ${String((error as Error).cause ?? error)}`;
  }
}

/** Names and states only: certificates and rules are long. */
function shape(text: string): string {
  const { configs } = JSON.parse(text) as Configuration;
  const named = (value: unknown): unknown =>
    JSON.stringify(value, (key, inner) =>
      /^(?:transport_socket|typed_config|metadata|filter_chains|static_|inline_|bootstrap)/.test(key) ? '…' : inner,
    );
  return configs
    .filter((config) => /Listeners|Clusters|Routes|Endpoints|Secrets/.test(String(config['@type'])))
    .map(named)
    .join('\n');
}
