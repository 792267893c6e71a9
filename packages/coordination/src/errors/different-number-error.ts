import { QuorateError } from '@quorate/core';

/** Another number is stored for all who use the path. */
export class DifferentNumberError extends QuorateError {
  readonly stored: number;
  readonly said: number;

  constructor(path: string, what: string, { stored, said }: { readonly stored: number; readonly said: number }) {
    super(
      `${path}: the number of ${what} is ${stored} here, and ${said} was said; say ${stored} as well, or change it for everybody with resize(${said})`,
      { code: 'different-number', happened: 'no' },
    );
    this.stored = stored;
    this.said = said;
  }
}
