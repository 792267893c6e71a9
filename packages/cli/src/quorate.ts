import { exitWithNpm } from '../parent.js';
import { main } from './main.ts';

const args = process.argv.slice(2);
// What holds a bed in the background stays when the process that started it ends.
if (args[0] !== 'keep') exitWithNpm();
process.exitCode = await main(args, process);
