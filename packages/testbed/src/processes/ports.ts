import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { QuorateError } from '@quorate/core';
import { eventually } from '../eventually.ts';

// Below the ranges from which Linux (32768 up) and macOS (49152 up) take the local ports of outgoing connections, so that
// no connection of anybody's can sit on a port while its server is being restarted.
const first = 10_240;
const count = 10_240;

/** A port is ours while we hold the UDP socket whose number lies this far above it. */
const claimOffset = 10_240;

/** A port that was asked for is in use by another program. */
export class PortTakenError extends QuorateError {
  readonly port: number;

  constructor(server: string, port: number) {
    super(
      `${server} cannot listen on 127.0.0.1:${port}: another program uses the port. ` +
        `Find it with "lsof -i :${port}", stop it, or leave the port out to get a free one.`,
      { code: 'port-taken', retryable: true },
    );
    this.port = port;
  }
}

/**
 * Free ports on loopback that no other bed takes, in this process or in another: each stays claimed until `release`, also
 * while the server that uses it is down. A claim is a bound UDP socket, so the kernel drops it when its owner dies.
 */
export class Ports {
  readonly #claims: Socket[] = [];

  async claim(): Promise<number> {
    for (let attempt = 0; attempt < 1_000; attempt += 1) {
      const port = first + Math.floor(Math.random() * count);
      const claim = await bindUdp(port + claimOffset);
      if (!claim) continue;
      if (await isFree(port)) {
        this.#claims.push(claim);
        return port;
      }
      claim.close();
    }
    throw new QuorateError(`no free port found between ${first} and ${first + count}`, { code: 'no-free-port' });
  }

  release(): void {
    for (const claim of this.#claims.splice(0)) claim.close();
  }
}

/** Whether a server could listen on this loopback port now; on any with 0, where only the address matters. */
export async function isFree(port: number, address = '127.0.0.1'): Promise<boolean> {
  const server = createServer();
  const bound = await Promise.race([
    once(server.listen(port, address), 'listening').then(() => true),
    once(server, 'error').then(() => false),
  ]).catch(() => false);
  if (bound) await new Promise((resolve) => server.close(resolve));
  return bound;
}

/** Whether it is free, or will be in a moment: the kernel closes the sockets of a process some time after that looks dead. */
export async function becomesFree(port: number): Promise<boolean> {
  return await eventually('the port is free', () => isFree(port), { within: 1_000, every: 10 }).catch(() => false);
}

async function bindUdp(port: number): Promise<Socket | undefined> {
  const socket = createSocket('udp4').unref();
  try {
    socket.bind({ port, address: '127.0.0.1', exclusive: true });
    await once(socket, 'listening');
    return socket;
  } catch {
    socket.close();
    return undefined;
  }
}
