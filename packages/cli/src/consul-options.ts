import { readFileSync } from 'node:fs';
import { InvalidArgumentError } from '@quorate/core';
import { Mesh } from '@quorate/mesh';
import type { Command } from 'commander';
import type { Shell } from './shell.ts';

/** Where the agent is, and how to be let in. */
export interface ConsulFlags {
  readonly consul?: string;
  readonly tokenFile?: string;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

export const consulHelp = `
The agent is at --consul, or QUORATE_CONSUL, or http://127.0.0.1:8500. The token is read from --token-file or
QUORATE_CONSUL_TOKEN; there is no option for the token itself, since other users of the machine could read it.`;

export function addConsulOptions(command: Command): Command {
  return command
    .option('--consul <url>', 'the address of the Consul agent')
    .option('--token-file <file>', 'a file that contains the token')
    .option('--ca <file>', 'the CA certificate of the agent')
    .option('--cert <file>', 'the client certificate, if the agent asks for one')
    .option('--key <file>', 'the key of the client certificate');
}

export function meshOf({ consul, tokenFile, ca, cert, key }: ConsulFlags, env: Shell['env']): Mesh {
  const token = tokenFile === undefined ? env.QUORATE_CONSUL_TOKEN : read('--token-file', tokenFile).trim();
  const tls = {
    ...(ca !== undefined && { ca: read('--ca', ca) }),
    ...(cert !== undefined && { cert: read('--cert', cert) }),
    ...(key !== undefined && { key: read('--key', key) }),
  };
  return new Mesh({
    address: consul ?? env.QUORATE_CONSUL ?? 'http://127.0.0.1:8500',
    ...(token !== undefined && token !== '' && { token }),
    ...(Object.keys(tls).length > 0 && { tls }),
  });
}

function read(flag: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    throw new InvalidArgumentError(flag, 'a file that can be read', path);
  }
}
