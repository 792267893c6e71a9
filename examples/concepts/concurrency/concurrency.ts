import { check, counter, History, Testbed } from '@quorate/testbed';
import type { Demo, Outcome, Stage } from '../demo.ts';
import { playRound } from './round.ts';
import { Till } from './till.ts';

export const concurrency: Demo = {
  name: 'concurrency',
  shows: 'several clients add to one counter: updates lost without a lock, with one, and with a fencing token',
  run,
};

async function run(stage: Stage): Promise<Outcome> {
  const { start, sabotage } = stage;
  await using bed = await Testbed.start({ zookeeper: { members: 1, config: { tickTime: 250 } } }, start);
  await using till = await Till.open({ fences: !sabotage });
  const table = { stage, bed, till };

  stage.scene(
    'Without a lock',
    'To add one is to read, and to write one more. Two who read the same number write the same.',
  );
  const bare = await playRound({
    ...table,
    name: 'without a lock',
    rules: { counter: 'bare', locked: false, fenced: false },
    paused: false,
  });

  stage.scene('With a lock', 'Whoever reads holds a lock until it has written. The others wait in line.');
  const locked = await playRound({
    ...table,
    name: 'with a lock',
    rules: { counter: 'locked', locked: true, fenced: false },
    paused: false,
  });

  stage.scene(
    'With a lock, and a holder that is paused',
    'A lock is given to the next when its holder seems dead. Some wake up.',
  );
  const paused = await playRound({
    ...table,
    name: 'with a lock, a holder paused',
    rules: { counter: 'paused', locked: true, fenced: false },
    paused: true,
  });

  stage.scene(
    'With a fencing token',
    'The same again, but each lease has a larger token, and the till refuses smaller ones.',
  );
  if (sabotage) stage.tell('sabotage', 'the till takes the token and does not look at it');
  const fenced = await playRound({
    ...table,
    name: 'with a fencing token',
    rules: { counter: 'fenced', locked: true, fenced: true },
    paused: true,
  });

  const rounds = [bare, locked, paused, fenced];
  const [shown, title] = sabotage
    ? [fenced, 'A token that nobody looks at: the add of a paused holder undoes those of others']
    : [paused, 'A lock is not enough: the add of a paused holder undoes those of others'];
  return {
    history: History.merge(...rounds.map(({ history }) => history)),
    rows: rounds.map(({ row }) => row),
    verdicts: [fenced.verdict, check.linearizable(fenced.history, counter())],
    moral: 'A lock says who may go first. Only the one who is written to can say who comes too late.',
    picture: { history: shown.history, options: { title, verdict: shown.verdict, limit: 10 } },
  };
}
