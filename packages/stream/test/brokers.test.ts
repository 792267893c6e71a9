import { driversOnThreeBrokers } from './driver/on-three-brokers.ts';
import { leadersSuite } from './engine/leaders.ts';
import { brokersSuite, lostAnswersSuite, threeBrokers } from './suites/brokers.ts';

// All on the same cluster: it takes ten seconds to start one.
brokersSuite('platformatic');
leadersSuite('platformatic', threeBrokers);
// These go on side by side.
lostAnswersSuite('platformatic');
driversOnThreeBrokers(threeBrokers);
