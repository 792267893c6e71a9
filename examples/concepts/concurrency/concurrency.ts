import { check, counter, History, Testbed } from '@quorate/testbed';
import type { Demo, Outcome, Stage } from '../demo.ts';
import { playRound, type Round, type RoundOptions } from './round.ts';
import { Till } from './till.ts';

export const concurrency: Demo = {
  name: 'concurrency',
  shows:
    'several clients add to one counter: updates are lost without a lock, and even with one, but not with a fencing token',
  run,
};

async function run(stage: Stage): Promise<Outcome> {
  const { start, sabotage } = stage;
  await using bed = await Testbed.start({ zookeeper: { members: 1, config: { tickTime: 250 } } }, start);
  await using till = await Till.open({ fences: !sabotage });
  const table = { stage, bed, till };

  // The sabotage takes away what only the last round has.
  const unprotected = sabotage ? [] : await playUnprotected(table);
  stage.scene(
    'With a token on the read and on the write',
    'The read sends the token as well. So the till knows of the new holder before the old one can write.',
  );
  if (sabotage) stage.tell('sabotage', 'the till accepts the token and does not check it');
  const fenced = await playRound({
    ...table,
    name: 'with a token on read and write',
    rules: { counter: 'fenced', locked: true, token: 'on reads and writes' },
    doraWakes: 'between the read and the write of the next holder',
  });

  const rounds = [...unprotected, fenced];
  const [shown, title] = sabotage
    ? [fenced, 'A token that is not checked: two adds return the same number, and one is lost']
    : [rounds.at(-2) ?? fenced, 'A token on the write only: the tokens increase, and an add is lost'];
  return {
    history: History.merge(...rounds.map(({ history }) => history)),
    rows: rounds.map(({ row }) => row),
    verdicts: [fenced.verdict, check.linearizable(fenced.history, counter())],
    moral:
      'A lock cannot stop a former holder. The store can, if it sees the token with the read as well as with the write.',
    picture: { history: shown.history, options: { title, verdict: shown.verdict, limit: 10 } },
  };
}

/** Each of these loses something, but for the second, which is lucky. */
async function playUnprotected(table: Pick<RoundOptions, 'stage' | 'bed' | 'till'>): Promise<Round[]> {
  const { scene } = table.stage;
  scene(
    'Without a lock',
    'Adding one means reading a number and writing one more. Two clients that read the same number write the same.',
  );
  const bare = await playRound({
    ...table,
    name: 'without a lock',
    rules: { counter: 'bare', locked: false, token: 'never' },
  });

  scene('With a lock', 'A client must hold the lock to read and write. The others wait in line.');
  const locked = await playRound({
    ...table,
    name: 'with a lock',
    rules: { counter: 'locked', locked: true, token: 'never' },
  });

  scene(
    'With a lock, and a holder that is paused',
    'A lock goes to the next in line when its holder seems dead. Some are not dead.',
  );
  const paused = await playRound({
    ...table,
    name: 'with a lock, a holder paused',
    rules: { counter: 'paused', locked: true, token: 'never' },
    doraWakes: 'when the others are done',
  });

  scene(
    'With a token on the write only',
    'Each lease has a larger token than all before. Writes send it, and the till refuses one smaller than it has seen.',
  );
  const halfFenced = await playRound({
    ...table,
    name: 'with a token on the write only',
    rules: { counter: 'half-fenced', locked: true, token: 'on writes' },
    doraWakes: 'between the read and the write of the next holder',
  });
  return [bare, locked, paused, halfFenced];
}
