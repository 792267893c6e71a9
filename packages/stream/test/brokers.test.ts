import { brokersSuite } from './suites/brokers.ts';

brokersSuite('platformatic');
