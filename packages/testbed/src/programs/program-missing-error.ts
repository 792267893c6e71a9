import { QuorateError } from '@quorate/core';
import type { ProgramPin } from './lock.ts';

/** A program is not installed and could not be fetched. Says each place that was tried, why that failed, and what to do. */
export class ProgramMissingError extends QuorateError {
  readonly program: string;

  constructor(program: string, pin: ProgramPin, tried: readonly string[], cause?: unknown) {
    const { debian, macos } = pin.byHand;
    super(
      [
        `${program} ${pin.version} is not installed, and could not be fetched:`,
        ...tried.map((line) => `  - ${line}`),
        `To install what it needs yourself: ${debian} (Debian, Raspberry Pi OS), ${macos} (macOS).`,
        `Or set the path of an installed one: ${variable(program)}=/path/to/it`,
      ].join('\n'),
      { code: 'program-missing', cause },
    );
    this.program = program;
  }
}

/** The environment variable that names a program: QUORATE_PROGRAM_CONSUL, QUORATE_PROGRAM_ZOOKEEPER_3_5_10. */
export function variable(program: string): string {
  return `QUORATE_PROGRAM_${program.toUpperCase().replaceAll(/\W/g, '_')}`;
}
