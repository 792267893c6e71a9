import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** A way to Redis on which each answer may be held back, or lost with its connection: no link of a bed sees single answers. */
export class Way implements AsyncDisposable {
  /** Called with what is sent, before it is passed on. */
  onQuestion: (text: string) => void = () => {};
  /** What becomes of an answer: passed on, or held back for good. */
  onAnswer: () => 'pass' | 'hold' = () => 'pass';
  readonly #server: Server;
  readonly #to: URL;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server, to: URL) {
    this.#server = server;
    this.#to = to;
    server.on('connection', (near) => {
      const far = connect(Number(to.port), to.hostname);
      for (const socket of [near, far]) {
        this.#sockets.add(socket);
        socket.on('error', () => {});
        socket.on('close', () => {
          near.destroy();
          far.destroy();
        });
      }
      near.on('data', (data) => {
        this.onQuestion(data.toString('latin1'));
        far.write(data);
      });
      far.on('data', (data) => {
        if (this.onAnswer() === 'pass') near.write(data);
      });
    });
  }

  static async to(url: string): Promise<Way> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Way(server, new URL(url));
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  get url(): string {
    const url = new URL(this.#to);
    url.hostname = '127.0.0.1';
    url.port = String(this.port);
    return url.href;
  }

  /** Ends every connection, with what was held back on it. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    this.#server.close();
  }
}
