import { Server } from '../processes/server.ts';
import { ask } from './ask.ts';
import { portsFor, type Site } from './site.ts';

export interface MongoDBOptions {
  /** A free port by default. */
  readonly port?: number;
}

/** What answers: MongoDB's own server, where it is on PATH, or FerretDB, which does its protocol over SQLite. */
export type MongoDBEngine = 'mongod' | 'ferretdb';

/** A server that speaks MongoDB's protocol. */
export class MongoDB {
  readonly servers: readonly Server[];
  /** FerretDB knows no transactions, change streams, `$lookup` or expiry. */
  readonly engine: MongoDBEngine;

  static async plan(site: Site, { port }: MongoDBOptions): Promise<MongoDB> {
    const [own = 0] = await portsFor(site, 1, port);
    const address = `127.0.0.1:${own}`;
    const { name, path } = site.program('mongodb');
    const engine = name === 'ferretdb' ? 'ferretdb' : 'mongod';
    const args = {
      mongod: ['--dbpath', '.', '--bind_ip', '127.0.0.1', '--port', String(own), '--nounixsocket'],
      ferretdb: ['-listen', address, '-data', 'data'],
    };
    const server = new Server(
      {
        name: 'mongodb-1',
        address,
        command: path,
        args: args[engine],
        ports: [own],
        ready: (signal) => saysHello(address, signal),
      },
      site,
    );
    return new MongoDB(server, engine);
  }

  private constructor(server: Server, engine: MongoDBEngine) {
    this.servers = [server];
    this.engine = engine;
  }

  get server(): Server {
    return this.servers[0] as Server;
  }

  get environment(): Record<string, string> {
    return { QUORATE_MONGODB: this.url };
  }

  /** For a client: `mongodb://127.0.0.1:27017`. */
  get url(): string {
    return `mongodb://${this.server.address}`;
  }
}

async function saysHello(address: string, signal: AbortSignal): Promise<boolean> {
  const answer = await ask(address, hello(), { whole: (text) => text.includes('maxWireVersion'), signal });
  return answer.includes('isWritablePrimary');
}

/** The command `{ hello: 1, $db: 'admin' }` as an OP_MSG. */
function hello(): Buffer {
  const document = Buffer.from('\0\0\0\0\x10hello\0\x01\0\0\0\x02$db\0\x06\0\0\0admin\0\0', 'latin1');
  document.writeInt32LE(document.length);
  // Length, request id, the id it answers to, the kind of message, flags, the kind of section.
  const head = Buffer.alloc(21);
  for (const [index, value] of [head.length + document.length, 1, 0, 2013].entries())
    head.writeInt32LE(value, 4 * index);
  return Buffer.concat([head, document]);
}
