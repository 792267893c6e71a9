import type { ServerError } from '../errors/server-error.ts';
import { TransactionError } from '../errors/transaction-error.ts';
import { serverError } from '../protocol/server-errors.ts';
import type { Question } from './question.ts';

/** A code of the protocol, such as -101 for no node, and which step of a transaction it is about. */
export interface Refusal {
  readonly code: number;
  readonly index?: number;
}

/** What the servers answer: what the call resolves with, or a refusal. Of `readMany`, each read has its own. */
export type Answer = { readonly zxid: bigint } & ({ readonly value: unknown } | { readonly refusal: Refusal });

/** What the answer is to whoever asked. */
export function answerOf(question: Question, value: unknown): unknown {
  if (question.kind !== 'readMany') return value;
  return question.reads.map(({ kind, path }, index) => {
    const outcome = (value as readonly object[])[index] ?? {};
    return 'code' in outcome ? serverError(Number(outcome.code), { operation: kind, path }) : { kind, ...outcome };
  });
}

export function errorOf(
  question: Question,
  operation: string,
  { code, index }: Refusal,
): ServerError | TransactionError {
  if (question.kind === 'transaction' && index !== undefined) {
    const step = question.steps[index];
    return new TransactionError(
      index,
      serverError(code, step ? { operation: step.kind, path: step.path } : { operation }),
    );
  }
  return serverError(code, 'path' in question ? { operation, path: question.path } : { operation });
}
