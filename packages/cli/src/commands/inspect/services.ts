import type { Mesh, ServiceInstance } from '@quorate/mesh';
import { Command } from 'commander';
import { addConsulOptions, type ConsulFlags, consulHelp, meshOf } from '../../consul-options.ts';
import { interruptible } from '../../interrupt.ts';
import type { Shell } from '../../shell.ts';
import { table } from '../../table.ts';

interface Flags extends ConsulFlags {
  readonly json?: true;
}

/** So many services are asked about at once. */
const abreast = 8;

export function services(shell: Shell): Command {
  return addConsulOptions(new Command('services'))
    .description('shows the services that Consul knows, or the instances of one')
    .argument('[service]', 'only this one')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `${consulHelp}

Examples:
  $ quorate inspect services
  $ quorate inspect services query
  $ quorate inspect services --json | jq -r 'keys[]'`,
    )
    .action((service: string | undefined, flags: Flags) => show(shell, service, flags));
}

async function show(shell: Shell, service: string | undefined, { json, ...consul }: Flags): Promise<void> {
  using stop = interruptible();
  const { signal } = stop;
  await using mesh = meshOf(consul, shell.env);
  if (service === undefined) {
    const all = await everyInstance(mesh, signal);
    shell.print(json ? JSON.stringify(Object.fromEntries(all), null, 2) : overview(all));
    return;
  }
  const instances = await mesh.instances(service, { signal });
  shell.print(json ? JSON.stringify(instances, null, 2) : listing(instances));
  if (instances.length === 0) shell.status = 1;
}

async function everyInstance(mesh: Mesh, signal: AbortSignal): Promise<Map<string, readonly ServiceInstance[]>> {
  const names = Object.keys(await mesh.services({ signal })).sort();
  const all = new Map<string, readonly ServiceInstance[]>(names.map((name) => [name, []]));
  const left = [...names];
  const take = async (): Promise<void> => {
    for (let name = left.shift(); name !== undefined; name = left.shift()) {
      all.set(name, await mesh.instances(name, { signal }));
    }
  };
  await Promise.all(Array.from({ length: abreast }, take));
  return all;
}

const statuses = ['passing', 'warning', 'critical', 'maintenance'] as const;

function overview(all: ReadonlyMap<string, readonly ServiceInstance[]>): string {
  const rows = [...all].map(([name, instances]) => [
    name,
    ...statuses.map((status) => String(instances.filter((instance) => instance.status === status).length)),
    [...new Set(instances.flatMap(({ tags }) => tags))].join(','),
  ]);
  return table([['SERVICE', ...statuses.map((status) => status.toUpperCase()), 'TAGS'], ...rows]);
}

function listing(instances: readonly ServiceInstance[]): string {
  const rows = instances.map(({ id, address, port, status, weight, node, tags }) => [
    id,
    `${address}:${port}`,
    status,
    String(weight),
    node,
    tags.join(','),
  ]);
  return table([['INSTANCE', 'ADDRESS', 'STATUS', 'WEIGHT', 'NODE', 'TAGS'], ...rows]);
}
