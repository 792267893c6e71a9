// npm run fix: applies the format and the safe fixes.
import { command } from './command.ts';

process.exitCode = (await command('biome', ['check', '--write', '.'], { show: true })).status;
