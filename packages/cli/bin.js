#!/usr/bin/env node
// `quorate`, as npm links it. In the repository, where nothing is built when npm makes the link and any Node may be the
// first on PATH, it goes through the bootstrap, as `npm run quorate` does; published, without one, it runs what is built.
import { existsSync } from 'node:fs';

if (existsSync(new URL('bootstrap.js', import.meta.url))) {
  process.argv.splice(2, 0, 'quorate');
  await import('./bootstrap.js');
} else await import('./dist/quorate.js');
