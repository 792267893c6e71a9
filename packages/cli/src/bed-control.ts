import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { InvalidArgumentError, isQuorateError, QuorateError } from '@quorate/core';
import type { Claim } from '../claim.js';
import { type BedRecord, readRecord } from './bed-record.ts';
import type { FaultOrder } from './fault-order.ts';

/** What can be asked of the process that holds a bed. */
export type Question =
  | { readonly ask: 'status' | 'down' | 'logs' }
  | { readonly ask: 'fault'; readonly order: FaultOrder };

type Answer = { readonly answer: unknown } | { readonly refused: { readonly message: string; readonly code: string } };

/** Longer questions are refused: there are none. */
const longest = 64 * 1024;

/** How soon the process must say that it has heard the question, in milliseconds. */
const hearingWithin = 3_000;

/** How long it may take over the answer, in milliseconds: a server may be restarted for it. */
const answerWithin = { status: 20_000, logs: 20_000, down: 60_000, fault: 300_000 };

/** The process that holds a bed lives, but is stopped or hangs. */
export class NoAnswerError extends QuorateError {
  constructor({ name, pid }: Claim<BedRecord>) {
    super(
      `the process ${pid}, which holds the bed "${name}", does not answer (stopped?). kill -CONT ${pid} lets a stopped ` +
        `process continue; quorate down --name ${name} ends it in any case`,
      { code: 'no-answer' },
    );
  }
}

/** Asks the process that holds a bed. Undefined when there is none. */
export async function askKeeper(name: string, question: Question): Promise<unknown> {
  const record = readRecord(name);
  if (!record) return undefined;
  if (!record.up) throw new QuorateError(`the servers of the bed "${name}" are starting`, { code: 'starting' });
  return await ask(record, record.up.socket, question);
}

/** The same for what makes no sense without a bed. */
export async function askUp(name: string, question: Question): Promise<unknown> {
  const answer = await askKeeper(name, question);
  if (answer === undefined) throw new QuorateError('nothing is up: start servers with quorate up', { code: 'not-up' });
  return answer;
}

async function ask(record: Claim<BedRecord>, socket: string, question: Question): Promise<unknown> {
  const text = await askAt(socket, question, () => new NoAnswerError(record));
  // It has ended while we asked.
  if (text.trim() === '') return undefined;
  const answer = JSON.parse(text) as Answer;
  if ('refused' in answer) throw new QuorateError(answer.refused.message, { code: answer.refused.code });
  return answer.answer;
}

function askAt(socket: string, question: Question, noAnswer: () => Error): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const connection = connect(socket)
      .setEncoding('utf8')
      .on('connect', () => connection.write(`${JSON.stringify(question)}\n`));
    const giveUp = (): unknown => connection.destroy(noAnswer());
    let patience = setTimeout(giveUp, hearingWithin);
    connection
      .once('data', () => {
        clearTimeout(patience);
        patience = setTimeout(giveUp, answerWithin[question.ask]);
      })
      .on('data', (more) => (text += more))
      .on('end', () => resolve(text))
      .on('close', () => clearTimeout(patience))
      .on('error', (error: NodeJS.ErrnoException) => {
        if (['ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE'].includes(error.code ?? '')) resolve('');
        else reject(error);
      });
  });
}

/** What every system takes as the path of a socket, in bytes. */
const longestSocket = 103;

/** Where a bed in a folder is asked. */
export function socketIn(folder: string): string {
  return join(folder, 'control');
}

/** Refuses a folder for temporary files in which no bed could be asked, before one is started there. */
export function checkTemporaryFolder(folder: string = tmpdir()): void {
  // As long as the name that the testbed gives to a bed's folder.
  const room = longestSocket - Buffer.byteLength(socketIn('/quorate-XXXXXXXXXXXX'));
  const path = resolve(folder);
  if (Buffer.byteLength(path) > room)
    throw new InvalidArgumentError('TMPDIR', `a path of at most ${room} bytes, because sockets are made in it`, path);
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
      // An empty line at once: the question was heard, the answer may take its time.
      connection.write('\n');
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
