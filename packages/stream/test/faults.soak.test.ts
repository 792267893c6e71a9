import { faultsSuite } from './suites/faults.ts';

// npm test has it by the library that is the default.
faultsSuite('kafkajs');
