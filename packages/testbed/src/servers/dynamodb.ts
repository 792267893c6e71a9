import { fileURLToPath } from 'node:url';
import { Server } from '../processes/server.ts';
import { programsFolder } from '../programs/lock.ts';
import { answerTo } from './answers.ts';
import { type JavaOptions, javaArguments } from './java.ts';
import { portsFor, type Site } from './site.ts';

export interface DynamoDBOptions extends JavaOptions {
  /** A free port by default. */
  readonly port?: number;
}

/** Amazon's DynamoDB Local. It takes any credentials and keeps its tables over a restart. */
export class DynamoDB {
  readonly servers: readonly Server[];
  /** What a client must be given, though any will do. */
  readonly credentials = { accessKeyId: 'quorate', secretAccessKey: 'quorate' } as const;
  readonly region = 'us-east-1';

  static async plan(site: Site, { port, ...java }: DynamoDBOptions): Promise<DynamoDB> {
    const [own = 0] = await portsFor(site, 1, port);
    const address = `127.0.0.1:${own}`;
    const main = [
      'org.mozilla.javascript.tools.shell.Main',
      fileURLToPath(new URL('dynamodb-on-loopback.js', programsFolder)),
    ];
    return new DynamoDB(
      new Server(
        {
          name: 'dynamodb-1',
          address,
          command: site.program('java').path,
          args: [
            ...javaArguments(site, 'dynamodb', '256m', java),
            ...main,
            '-port',
            String(own),
            '-dbPath',
            '.',
            '-sharedDb',
            '-disableTelemetry',
          ],
          ports: [own],
          ready: (signal) => listsTables(address, signal),
        },
        site,
      ),
    );
  }

  private constructor(server: Server) {
    this.servers = [server];
  }

  get server(): Server {
    return this.servers[0] as Server;
  }

  get environment(): Record<string, string> {
    return { QUORATE_DYNAMODB: this.url };
  }

  /** For a client: `http://127.0.0.1:8000`. */
  get url(): string {
    return `http://${this.server.address}`;
  }
}

/** It looks at the shape of a signature, not at what it signs: a real one would need a client library. */
async function listsTables(address: string, signal: AbortSignal): Promise<boolean> {
  const { body } = await answerTo(`http://${address}/`, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': 'DynamoDB_20120810.ListTables',
      authorization:
        'AWS4-HMAC-SHA256 Credential=quorate/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0',
    },
    body: '{}',
    signal,
  });
  return Array.isArray((JSON.parse(body) as { TableNames?: unknown }).TableNames);
}
