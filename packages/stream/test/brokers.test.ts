import { driversOnThreeBrokers } from './driver/on-three-brokers.ts';
import { brokersSuite, threeBrokers } from './suites/brokers.ts';

brokersSuite('platformatic');
// On the same cluster: it takes ten seconds to start one.
driversOnThreeBrokers(threeBrokers);
