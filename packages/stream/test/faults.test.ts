import { faultsSuite } from './suites/faults.ts';

faultsSuite('platformatic');
