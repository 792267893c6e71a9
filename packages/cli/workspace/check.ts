// npm run check: the static checks alone.
import { runStaticChecks } from './static-checks.ts';
import { lastLine } from './tally.ts';

const tally = await runStaticChecks();
console.log(lastLine(tally));
process.exitCode = tally.failed > 0 ? 1 : 0;
