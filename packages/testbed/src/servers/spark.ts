import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Server } from '../processes/server.ts';
import { type JavaOptions, javaArguments } from './java.ts';
import { portsFor, type Site } from './site.ts';
import { sparkVersion } from './spark-version.ts';

export interface SparkOptions extends JavaOptions {
  /** A free port by default. */
  readonly port?: number;
  /** Further settings of Spark, or other values for ours: `{ 'spark.master': 'local[2]' }`. */
  readonly config?: Readonly<Record<string, string | number | boolean>>;
}

/** What Spark asks of Java; its own start script says the same. */
const opened = [
  ...[
    'lang',
    'lang.invoke',
    'lang.reflect',
    'io',
    'net',
    'nio',
    'util',
    'util.concurrent',
    'util.concurrent.atomic',
  ].map((name) => `java.base/java.${name}`),
  ...['jdk.internal.ref', 'sun.nio.ch', 'sun.nio.cs', 'sun.security.action', 'sun.util.calendar'].map(
    (name) => `java.base/${name}`,
  ),
].map((place) => `--add-opens=${place}=ALL-UNNAMED`);

/** A Spark Connect server that computes by itself, with a core for each of the machine's. */
export class Spark {
  readonly servers: readonly Server[];
  /** What a client must show, made for this bed: whoever may talk to Spark can run programs as you. */
  readonly token: string;

  static async plan(site: Site, { port, config = {}, jvm = [] }: SparkOptions): Promise<Spark> {
    const [own = 0] = await portsFor(site, 1, port);
    const address = `127.0.0.1:${own}`;
    const folder = join(site.warden.folder, 'spark-1');
    const token = randomBytes(18).toString('base64url');
    const settings = {
      'spark.master': 'local[*]',
      'spark.app.name': 'quorate',
      'spark.driver.host': '127.0.0.1',
      'spark.driver.bindAddress': '127.0.0.1',
      'spark.connect.grpc.binding.address': '127.0.0.1',
      'spark.connect.grpc.binding.port': own,
      'spark.local.dir': join(folder, 'local'),
      'spark.sql.warehouse.dir': join(folder, 'warehouse'),
      'spark.ui.enabled': false,
      ...config,
    };
    const server = new Server(
      {
        name: 'spark-1',
        address,
        command: site.program('java').path,
        args: [
          ...javaArguments(site, 'spark', '1g', {
            jvm: [
              ...opened,
              // It would leave files in the machine's temporary folder and at home.
              `-Djava.io.tmpdir=${join(folder, 'local')}`,
              `-Dderby.system.home=${folder}`,
              `-Duser.home=${folder}`,
              '-Dlog4j2.level=WARN',
              ...Object.entries(settings).map(([key, value]) => `-D${key}=${value}`),
              ...jvm,
            ],
          }),
          'org.apache.spark.sql.connect.service.SparkConnectServer',
        ],
        env: { SPARK_LOCAL_IP: '127.0.0.1', HADOOP_USER_NAME: 'quorate', SPARK_CONNECT_AUTHENTICATE_TOKEN: token },
        ports: [own],
        files: { 'local/.keep': '', 'warehouse/.keep': '' },
        ready: async (signal) => (await sparkVersion(address, token, signal)) !== undefined,
        startWithin: 120_000,
      },
      site,
    );
    return new Spark(server, token);
  }

  private constructor(server: Server, token: string) {
    this.servers = [server];
    this.token = token;
  }

  get server(): Server {
    return this.servers[0] as Server;
  }

  get environment(): Record<string, string> {
    return { QUORATE_SPARK: this.url };
  }

  /** For a client of Spark Connect: `sc://127.0.0.1:15002/;token=…`. */
  get url(): string {
    return `sc://${this.server.address}/;token=${this.token}`;
  }
}
