import { check, History } from '@quorate/testbed';
import type { Demo, Outcome, Stage } from '../demo.ts';
import { nothingAcknowledgedIn, tableOf } from './phases.ts';
import { Play } from './play.ts';
import { eachForItself, inAgreement } from './servers.ts';
import { readLedger } from './writer.ts';

export const consensus: Demo = {
  name: 'consensus',
  shows:
    'the leader of three servers is killed while clients write, then a second server: nothing acknowledged is lost',
  run,
};

const noMajority = 'two of three are gone';

async function run(stage: Stage): Promise<Outcome> {
  const { signal, start, sabotage } = stage;
  const history = new History();
  stage.scene(
    'Three servers',
    'Any of them may break at any time. Together they are to lose nothing they acknowledged.',
  );
  await using servers = await (sabotage ? eachForItself : inAgreement)(start);
  if (sabotage) stage.tell('sabotage', 'the servers do not know of each other: each acknowledges alone');
  const play = new Play(stage, servers, history);
  await using _writers = play.startWriters();

  play.phase('all three are well', 'A write is acknowledged when a majority, two of three, has it on disk.');
  await play.written(stage.fast ? 20 : 150);

  const first = await play.leader();
  play.phase('the leader is killed', 'Nobody decides for a moment. Then the two others elect one of them.');
  await play.kill(first);
  const second = await play.newLeader();
  await play.written(stage.fast ? 20 : 150);

  await play.kill(second);
  play.phase(noMajority, 'One server cannot know what the two others agree on without it. So it must refuse.');
  await play.attempted(stage.fast ? 4 : 12);

  play.phase('all three are back', 'A majority is there again, and with it everything a majority ever had.');
  await play.restart(first, second);
  await play.written(stage.fast ? 20 : 150);
  await play.stopWriters();

  await readLedger(servers.url, history, signal);
  const verdict = check.noLostUpdates(history);
  return {
    history,
    rows: tableOf(history),
    verdicts: [verdict, nothingAcknowledgedIn(noMajority, history)],
    moral:
      'Being without a leader costs time. Being without a majority costs answers. Neither costs an acknowledged write.',
    picture: {
      history,
      options:
        verdict.result === 'invalid'
          ? { title: 'A write that was acknowledged is lost', verdict, limit: 10 }
          : { title: 'The leader is killed while clients write', ...play.pictured },
    },
  };
}
