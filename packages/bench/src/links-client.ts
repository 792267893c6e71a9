// A thread of its own, as a client is a process of its own: it must not share the event loop of the link it measures.
import { connect } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';

interface Task {
  readonly address: string;
  readonly password: string;
  readonly trips: number;
  readonly key: string;
  readonly bytes: number;
  readonly times: number;
}

const { address, password, trips, key, bytes, times } = workerData as Task;
const [host = '', port] = address.split(':');
const socket = connect({ host, port: Number(port), noDelay: true });
let come = 0;
let wanted = 0;
let done = (): void => {};
socket.on('data', (data) => {
  come += data.length;
  if (come >= wanted) done();
});

function ask(command: string, answer: number): Promise<void> {
  come = 0;
  wanted = answer;
  return new Promise((resolve) => {
    done = resolve;
    socket.write(command);
  });
}

await ask(`AUTH ${password}\r\n`, '+OK\r\n'.length);
const milliseconds: number[] = [];
for (let trip = 0; trip < trips; trip += 1) {
  const begin = performance.now();
  await ask('PING\r\n', '+PONG\r\n'.length);
  milliseconds.push(performance.now() - begin);
}
const begin = performance.now();
for (let time = 0; time < times; time += 1) await ask(`GET ${key}\r\n`, bytes + `$${bytes}\r\n\r\n`.length);
const seconds = (performance.now() - begin) / 1000;
milliseconds.sort((a, b) => a - b);
parentPort?.postMessage({ trip: milliseconds[Math.floor(trips / 2)], speed: (bytes * times) / 1e6 / seconds });
socket.destroy();
