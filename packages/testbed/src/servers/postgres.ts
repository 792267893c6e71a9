import { randomBytes } from 'node:crypto';
import { constants, cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../processes/run.ts';
import { Server } from '../processes/server.ts';
import { ask } from './ask.ts';
import { emptyCluster } from './postgres-template.ts';
import { portsFor, type Site } from './site.ts';
import { unprivileged } from './unprivileged.ts';

export interface PostgresOptions {
  /** A free port by default. */
  readonly port?: number;
  /** Further settings of postgresql.conf, or other values for ours: `{ max_connections: 20 }`. */
  readonly config?: Readonly<Record<string, string | number | boolean>>;
}

const user = 'postgres';
const database = 'postgres';

/** Shares the blocks, where the file system can. */
const copyCheaply = constants.COPYFILE_FICLONE;

/** A PostgreSQL server, with a password of its own. */
export class Postgres {
  readonly servers: readonly Server[];
  readonly user: string = user;
  readonly database: string = database;
  /** Made for this bed. */
  readonly password: string;

  static async plan(site: Site, { port, config = {} }: PostgresOptions): Promise<Postgres> {
    const [own = 0] = await portsFor(site, 1, port);
    const program = site.program('postgres');
    const password = randomBytes(18).toString('base64url');
    const address = `127.0.0.1:${own}`;
    const settings = {
      listen_addresses: '127.0.0.1',
      port: own,
      unix_socket_directories: '',
      // A start does not wait for the disk: it is the process that is killed here, not the machine.
      fsync: 'off',
      // In its folder, which goes with the bed: what is in /dev/shm stays when it is killed.
      dynamic_shared_memory_type: 'mmap',
      ...config,
    };
    const server = new Server(
      {
        name: 'postgres-1',
        address,
        ...unprivileged(program.path, [
          ...['-D', 'data'],
          ...Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`]),
        ]),
        ports: [own],
        files: { 'password.sql': `ALTER ROLE ${user} PASSWORD '${password}';\n` },
        prepare: async (folder, launcher, signal) => {
          // Seen from outside its disk.
          const outside = server.folder;
          await cp(await emptyCluster(program, signal), join(outside, 'data'), { recursive: true, mode: copyCheaply });
          const single = `exec "$0" --single -D data ${database} < password.sql`;
          await run(launcher, { ...unprivileged('/bin/sh', ['-c', single, program.path]), cwd: folder, signal });
          await rm(join(outside, 'password.sql'));
        },
        ready: (signal) => asksForPassword(address, signal),
        // On SIGTERM it would wait for its clients to leave.
        stopSignal: 'SIGINT',
      },
      site,
    );
    return new Postgres(server, password);
  }

  private constructor(server: Server, password: string) {
    this.servers = [server];
    this.password = password;
  }

  get server(): Server {
    return this.servers[0] as Server;
  }

  get environment(): Record<string, string> {
    return { QUORATE_POSTGRES: this.url };
  }

  /** For a client: `postgres://postgres:…@127.0.0.1:5432/postgres`. */
  get url(): string {
    return `postgres://${user}:${this.password}@${this.server.address}/${database}`;
  }
}

/** While it starts, recovers or stops it answers with an error instead. */
async function asksForPassword(address: string, signal: AbortSignal): Promise<boolean> {
  const words = `\0\x03\0\0user\0${user}\0database\0${database}\0\0`;
  const hello = `\0\0\0${String.fromCharCode(words.length + 4)}${words}`;
  return (await ask(address, hello, { whole: (answer) => answer.length > 0, signal })).startsWith('R');
}
