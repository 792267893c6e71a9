import { brokersSuite } from './suites/brokers.ts';

// npm test has it by the library that is the default.
brokersSuite('kafkajs');
