import { check, History } from '@quorate/testbed';
import type { Demo, Outcome, Stage } from '../demo.ts';
import { nothingAcknowledgedIn, tableOf } from './phases.ts';
import { Play } from './play.ts';
import { eachForItself, inAgreement } from './servers.ts';

export const consensus: Demo = {
  name: 'consensus',
  shows:
    'the leader of three servers is killed while clients write, then a second server: nothing acknowledged is lost',
  run,
};

const noMajority = 'two of three are gone';

async function run(stage: Stage): Promise<Outcome> {
  const { start, sabotage, fast } = stage;
  const enough = fast ? 20 : 150;
  const history = new History();
  stage.scene(
    'Three servers',
    'Any of them may break at any time. Together they must lose nothing that they have acknowledged.',
  );
  await using servers = await (sabotage ? eachForItself : inAgreement)(start);
  if (sabotage) stage.tell('sabotage', 'the servers do not know of each other: each acknowledges alone');
  const play = new Play(stage, servers, history);

  play.phase('all three are healthy', 'A write is acknowledged when a majority, two of three, has it on disk.');
  await using _writers = play.startWriters();
  await play.written(enough);
  const first = await play.leader();

  play.phase('the leader is killed', 'For a moment there is no leader. Then the two others elect one of them.');
  await play.kill(first);
  const second = await play.newLeader();
  await play.written(enough);
  await play.kill(second);
  // What was acknowledged just before may be heard of just after.
  await play.settled();

  play.phase(noMajority, 'One server cannot know what the two others agree on without it. So it must refuse.');
  if (sabotage) await play.written(fast ? 3 : 12);
  else await play.attempted(fast ? 3 : 12);

  play.phase('all three are back', 'A majority is back, and with it everything that a majority ever stored.');
  await play.restart(first, second);
  await play.written(enough);
  await play.stopWriters();
  await play.audit();

  const verdict = check.noLostUpdates(history);
  return {
    history,
    rows: tableOf(history),
    verdicts: [verdict, nothingAcknowledgedIn(noMajority, history)],
    moral:
      'Without a leader there is a delay. Without a majority there are no answers. Neither loses an acknowledged write.',
    picture: {
      history,
      options:
        verdict.result === 'invalid'
          ? { title: 'A write that was acknowledged is lost', verdict, limit: 10 }
          : { title: 'The leader is killed while clients write', ...play.pictured },
    },
  };
}
