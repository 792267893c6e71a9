// Sagas where they are hard to get right.
import {
  type ActivityOptions,
  ApplicationFailure,
  condition,
  continueAsNew,
  defineSignal,
  executeChild,
  proxyActivities,
  setHandler,
  sleep,
} from '@temporalio/workflow';
import { activities, fanOut, loop, saga, stop, token } from '../../src/inside/index.ts';
import type * as work from './activities.ts';

const { count, uncount, echo, fail, undoes, slow } = activities<typeof work>({
  timeout: '10s',
  delay: 20,
  maxDelay: 20,
});

/** A handler fails it, while its own code waits. */
export async function failedBySignal(): Promise<void> {
  setHandler(defineSignal('boom'), () => {
    throw ApplicationFailure.nonRetryable('boom', 'boom');
  });
  const undo = saga();
  await undo.step(
    () => echo('done'),
    () => echo('undone'),
    { name: 'one' },
  );
  await condition(() => false);
}

/** What is done in an inner saga, and kept, was done in the outer step as well. */
export async function sagaInSaga(): Promise<void> {
  const undo = saga();
  await undo.step(
    async () => {
      const inner = saga();
      await inner.step(
        () => echo('inner'),
        () => echo('inner undone'),
      );
      inner.keep();
      await fail('not-done');
    },
    () => echo('outer undone'),
    { name: 'outer' },
  );
}

export async function undoWithin(): Promise<void> {
  const undo = saga();
  await undo.step(
    async () => {
      await echo('done');
      await undo.undo();
    },
    () => echo('undone'),
    { name: 'one' },
  );
}

export async function child(what: 'does' | 'undoes'): Promise<unknown> {
  return what === 'does' ? await echo('by a child') : await undoes();
}

/** A step by a child, undone by an activity; and a step by an activity, undone by a child. */
export async function withChildren(): Promise<void> {
  const undo = saga({ attempts: 1 });
  await undo.step(
    () => executeChild(child, { args: ['does'] }),
    () => undoes(),
    { name: 'child does' },
  );
  await undo.step(
    () => echo('by an activity'),
    () => executeChild(child, { args: ['undoes'] }),
    { name: 'child undoes' },
  );
  throw ApplicationFailure.nonRetryable('it went wrong', 'wrong');
}

/** Waits between what it does and its failure. */
export async function failsLater(name: string): Promise<void> {
  let told = false;
  setHandler(defineSignal('go'), () => {
    told = true;
  });
  const undo = saga();
  await undo.step(
    () => count(name, 1),
    () => uncount(name, 1),
    { name: 'one' },
  );
  await condition(() => told);
  throw ApplicationFailure.nonRetryable('it went wrong', 'wrong');
}

export async function cancelledStubbornly(): Promise<void> {
  const undo = saga({ attempts: 1 });
  await undo.step(
    () => echo('done'),
    () => fail('fatal'),
    { name: 'one' },
  );
  await sleep('1h');
}

/** A branch that is still there while another one has failed, and is undone. */
export async function lateBranch(): Promise<void> {
  const undo = saga({ attempts: 3, delay: 500 });
  await undo.step(
    () => echo('done'),
    () => fail('again'),
    { name: 'one' },
  );
  const late = async (): Promise<void> => {
    await sleep(300);
    await echo('late, outside').catch(() => {});
    await saga().step(
      () => echo('late, inside'),
      () => echo('late undone'),
    );
  };
  const failing = async (): Promise<void> => {
    await sleep(100);
    throw ApplicationFailure.nonRetryable('it went wrong', 'wrong');
  };
  await Promise.all([late(), failing()]);
}

/** A fault of the program in one of several items. */
export async function faultyItems(): Promise<void> {
  await fanOut(['one', 'two'], async (item) => {
    await slow(item, item === 'one' ? 10 : 500);
    if (item === 'one') throw new TypeError('item is undefined');
  });
}

/** Activities that were given ids by hand, among which is one that the library counts. */
export async function ownIds(): Promise<void> {
  const own = (activityId: string) =>
    proxyActivities<typeof work>({ activityId, startToCloseTimeout: '10s' } as ActivityOptions).echo;
  await own('fixed')('one');
  await own('fixed')('two');
  await own('4')('three');
  await echo('four');
}

/** Several calls in a step, and several sagas. */
export async function manyCalls(): Promise<void> {
  const first = saga();
  const second = saga();
  await first.step(
    async () => {
      await echo('one');
      await echo('two');
      await fail('not-done').catch(() => {});
    },
    () => undoes(),
    { name: 'several' },
  );
  await second.step(
    () => echo('three'),
    () => undoes(),
    { name: 'newer' },
  );
  throw ApplicationFailure.nonRetryable('it went wrong', 'wrong');
}

/** What certainly did not happen is the last of several calls. */
export async function lastNotDone(): Promise<void> {
  const undo = saga();
  await undo.step(
    async () => {
      await echo('one');
      await fail('not-done');
    },
    () => echo('undone'),
    { name: 'several' },
  );
}

/** Its undoing works at the third attempt. */
export async function undoneInTheEnd(): Promise<void> {
  const undo = saga({ attempts: 3, delay: 20 });
  let attempts = 0;
  await undo.step(
    () => echo('done'),
    async () => {
      attempts += 1;
      if (attempts < 3) throw ApplicationFailure.retryable('not yet', 'not-yet');
      await echo(`undone at attempt ${attempts}`);
    },
    { name: 'one' },
  );
  throw ApplicationFailure.nonRetryable('it went wrong', 'wrong');
}

/** The token, in this run, in one that continues it, and in a child of that. */
export async function tokens(run: number): Promise<string> {
  if (run === 1) await continueAsNew<typeof tokens>(2);
  return run === 2 ? `${token()} ${await executeChild(tokens, { args: [3] })}` : String(token());
}

/** Goes on for long, in many runs. */
export async function keepsOn(left: number): Promise<string> {
  return await loop(
    left,
    async (now) => {
      if (now === 0) return stop('over');
      await sleep(20);
      return now - 1;
    },
    { events: 10 },
  );
}
