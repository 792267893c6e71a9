import { sharedBed } from '../src/vitest-setup.ts';

export default sharedBed({
  redis: 1,
  consul: 1,
  envoy: true,
  temporal: true,
  kafka: { config: { 'group.min.session.timeout.ms': 500 } },
});
