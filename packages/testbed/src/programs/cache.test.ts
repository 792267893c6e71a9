import { userInfo } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { cacheFolder } from './cache.ts';

beforeEach(() => vi.stubEnv('QUORATE_CACHE', ''));
afterEach(() => vi.unstubAllEnvs());

const place = process.platform === 'darwin' ? 'Library/Caches/quorate' : '.cache/quorate';

test.each(['', 'relative'])('HOME as %j is no place for the cache: it is where the system has this user', (home) => {
  vi.stubEnv('HOME', home);
  vi.stubEnv('XDG_CACHE_HOME', '');
  expect(cacheFolder()).toBe(join(userInfo().homedir, place));
});

test('a relative XDG_CACHE_HOME counts as none, an absolute one is taken where there is such a thing', () => {
  vi.stubEnv('HOME', '/home/anna');
  vi.stubEnv('XDG_CACHE_HOME', 'relative');
  expect(cacheFolder()).toBe(join('/home/anna', place));
  vi.stubEnv('XDG_CACHE_HOME', '/caches');
  expect(cacheFolder()).toBe(process.platform === 'darwin' ? join('/home/anna', place) : '/caches/quorate');
});
