// Files share a process: what one has set in its environment is not there for the next.
import { afterAll, vi } from 'vitest';

afterAll(() => {
  vi.unstubAllEnvs();
});
