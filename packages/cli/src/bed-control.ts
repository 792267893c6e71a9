import { connect, createServer, type Server } from 'node:net';
import { isQuorateError, QuorateError } from '@quorate/core';
import { type BedRecord, readRecord, removeRecord } from './bed-record.ts';
import type { FaultOrder } from './fault-order.ts';

/** What can be asked of the process that holds a bed. */
export type Question = { readonly ask: 'status' | 'down' } | { readonly ask: 'fault'; readonly order: FaultOrder };

type Answer = { readonly answer: unknown } | { readonly refused: { readonly message: string; readonly code: string } };

/** Longer questions are refused: there are none. */
const longest = 64 * 1024;

/** Asks the process that holds a bed. Undefined when nobody holds it: then its record is removed. */
export async function askKeeper(name: string, question: Question): Promise<unknown> {
  const record = await readRecord(name);
  if (!record) return undefined;
  const answer = await ask(record, question);
  if (answer === undefined) {
    await removeRecord(name);
    return undefined;
  }
  if ('refused' in answer) throw new QuorateError(answer.refused.message, { code: answer.refused.code });
  return answer.answer;
}

function ask({ socket }: BedRecord, question: Question): Promise<Answer | undefined> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const connection = connect(socket)
      .setEncoding('utf8')
      .on('connect', () => connection.write(`${JSON.stringify(question)}\n`))
      .on('data', (text) => (answer += text))
      .on('end', () => resolve(JSON.parse(answer) as Answer))
      .on('error', ({ code, message }: NodeJS.ErrnoException) => {
        if (code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'ECONNRESET') resolve(undefined);
        else reject(new Error(`the bed does not answer at ${socket}: ${message}`));
      });
  });
}

/** Answers questions about a bed on a socket that only this user can open. */
export function listenForQuestions(socket: string, answer: (question: Question) => Promise<unknown>): Promise<Server> {
  const server = createServer((connection) => {
    let heard = '';
    connection.setEncoding('utf8').on('error', () => {});
    connection.on('data', async (text) => {
      heard += text;
      if (heard.length > longest) connection.destroy();
      if (!heard.endsWith('\n')) return;
      connection.end(JSON.stringify(await answered(heard, answer)));
    });
  });
  return new Promise((resolve, reject) => server.on('error', reject).listen(socket, () => resolve(server)));
}

async function answered(line: string, answer: (question: Question) => Promise<unknown>): Promise<Answer> {
  try {
    return { answer: (await answer(JSON.parse(line) as Question)) ?? null };
  } catch (error) {
    return { refused: { message: (error as Error).message, code: isQuorateError(error) ? error.code : 'failed' } };
  }
}
