import { sharedBed } from '../src/vitest-setup.ts';

export default sharedBed({ redis: 1, consul: 1, envoy: true, kafka: 1 });
