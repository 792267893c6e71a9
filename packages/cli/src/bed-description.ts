import type { Testbed } from '@quorate/testbed';

/** A running bed as plain data: for `status`, and between the process that holds it and those that ask. */
export interface BedDescription {
  readonly servers: readonly {
    readonly name: string;
    readonly address: string;
    readonly state: string;
    readonly health: 'pass' | 'warn' | 'fail';
    readonly detail?: string;
    readonly residentMegabytes: number;
  }[];
  readonly environment: Readonly<Record<string, string>>;
}

export async function describeBed(bed: Testbed): Promise<BedDescription> {
  const servers = await Promise.all(
    bed.servers.map(async (server) => {
      const [{ status, detail }, resident] = await Promise.all([server.health(), server.resident()]);
      return {
        name: server.name,
        address: server.address,
        state: server.state,
        health: status,
        ...(detail !== undefined && { detail }),
        residentMegabytes: Math.round(resident / 1e6),
      };
    }),
  );
  return { servers, environment: bed.environment };
}

/** For people: the servers, each with its health, and the addresses that programs are given. */
export function bedRows({ servers }: BedDescription): string[][] {
  const health = { pass: 'healthy', warn: 'degraded', fail: 'unhealthy' };
  const rows = servers.map((server) => [
    server.name,
    server.address,
    server.detail ? `${health[server.health]}: ${server.detail.split('\n')[0]}` : health[server.health],
    `${server.residentMegabytes} MB`,
  ]);
  return [['SERVER', 'ADDRESS', 'HEALTH', 'MEMORY'], ...rows];
}
