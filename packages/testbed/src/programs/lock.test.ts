import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { lock, programsFolder } from './lock.ts';

const platforms = ['linux-x64', 'linux-arm64', 'darwin-arm64'];

test.each(Object.entries(lock()))('%s can be brought on every platform, and is pinned', (_name, pin) => {
  for (const platform of platforms) {
    const sources = [pin.release?.[platform] ?? pin.release?.any, pin.pip?.wheels[platform], pin.maven, pin.go];
    if (pin.instead) expect(lock()[pin.instead]).toBeDefined();
    else expect(sources.filter(Boolean).length, platform).toBeGreaterThan(0);
    if (pin.maven?.inside) expect(pin.maven.inside.files[platform]).toBeTruthy();
  }
  const pins = [
    ...Object.values(pin.release ?? {}),
    ...Object.values(pin.pip?.wheels ?? {}),
    ...Object.values(pin.maven?.jars ?? {}),
    ...Object.values(pin.maven?.platforms ?? {}).flatMap((jars) => Object.values(jars)),
  ];
  for (const { sha256 } of pins) expect(sha256).toMatch(/^[0-9a-f]{64}$/);
  if (pin.go) expect(existsSync(new URL(`go/${pin.go.module}/go.sum`, programsFolder))).toBe(true);
});
