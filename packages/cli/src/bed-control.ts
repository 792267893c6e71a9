import { connect, createServer, type Server } from 'node:net';
import { type BedRecord, readRecord, removeRecord } from './bed-record.ts';

export type Question = 'status' | 'down';

/** Asks the process that holds a bed. Undefined when nobody holds it: then its record is removed. */
export async function askKeeper(name: string, question: Question): Promise<unknown> {
  const record = await readRecord(name);
  if (!record) return undefined;
  const answer = await ask(record, question);
  if (answer === undefined) await removeRecord(name);
  return answer;
}

function ask({ socket }: BedRecord, question: Question): Promise<unknown> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const connection = connect(socket)
      .setEncoding('utf8')
      .on('connect', () => connection.write(`${question}\n`))
      .on('data', (text) => (answer += text))
      .on('end', () => resolve(JSON.parse(answer)))
      .on('error', ({ code, message }: NodeJS.ErrnoException) => {
        if (code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'ECONNRESET') resolve(undefined);
        else reject(new Error(`the bed does not answer at ${socket}: ${message}`));
      });
  });
}

/** Answers questions about a bed on a socket that only this user can open. */
export function listenForQuestions(socket: string, answer: (question: Question) => Promise<unknown>): Promise<Server> {
  const server = createServer((connection) => {
    connection.setEncoding('utf8').on('error', () => {});
    connection.once('data', async (line: string) => {
      connection.end(JSON.stringify((await answer(line.trim() as Question)) ?? null));
    });
  });
  return new Promise((resolve, reject) => server.on('error', reject).listen(socket, () => resolve(server)));
}
