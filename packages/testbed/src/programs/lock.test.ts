import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { lock, platforms, programsFolder, sourcesOn } from './lock.ts';

/** What nobody publishes. Each entry is a promise that README.md takes back in so many words. */
const cannotBeBrought = ['envoy on darwin-x64'];
const onlyWithPip = ['envoy on darwin-arm64'];

describe.each(Object.entries(lock()))('%s', (name, pin) => {
  test.each(platforms)('can be brought on %s by Node alone', (platform) => {
    const place = `${name} on ${platform}`;
    const sources = sourcesOn(pin, platform);
    if (pin.instead !== undefined) return expect(Object.keys(lock())).toContain(pin.instead);
    if (cannotBeBrought.includes(place)) return expect(sources).toEqual([]);
    // Go and Maven are programs here like any other: they are brought themselves. Python is not.
    expect(sources[0], place).toMatch(onlyWithPip.includes(place) ? /^pip$/ : /^(release|maven|go)$/);
  });

  test('is pinned', () => {
    const pins = [
      ...Object.values(pin.release ?? {}),
      ...Object.values(pin.pip?.wheels ?? {}),
      ...Object.values(pin.maven?.jars ?? {}),
      ...Object.values(pin.maven?.platforms ?? {}).flatMap((jars) => Object.values(jars)),
    ];
    for (const { sha256 } of pins) expect(sha256).toMatch(/^[0-9a-f]{64}$/);
    // A checksum that stands twice was copied to the wrong line.
    expect(new Set(pins.map(({ sha256 }) => sha256)).size).toBe(pins.length);
    for (const { url } of Object.values(pin.release ?? {})) expect(url).toContain(pin.version);
    if (pin.go?.sources !== undefined) {
      const folder = new URL(`go/${pin.go.module}/`, programsFolder);
      const hash = createHash('sha256');
      for (const file of readdirSync(folder)
        .filter((file) => file.endsWith('.go'))
        .sort())
        hash.update(readFileSync(new URL(file, folder)));
      expect(hash.digest('hex'), 'run npm run relock').toBe(pin.go.sources);
    }
    if (pin.go) expect(existsSync(new URL(`go/${pin.go.module}/go.sum`, programsFolder))).toBe(true);
  });
});
