import { Command } from 'commander';
import { inspectServices } from './inspect-services.ts';

export function inspect(): Command {
  return new Command('inspect')
    .description('shows what there is, without touching it')
    .addHelpText('after', '\nExamples:\n  $ quorate inspect services')
    .addCommand(inspectServices());
}
