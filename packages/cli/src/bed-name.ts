import { InvalidArgumentError, Option } from 'commander';

/** `--name`: which of the beds in the background is meant. */
export function bedName(): Option {
  return new Option('--name <name>', 'which bed, when there are several').default('default').argParser((name) => {
    if (!/^[a-z0-9][a-z0-9-]{0,30}$/.test(name))
      throw new InvalidArgumentError('Expected small letters, digits and dashes, at most 31.');
    return name;
  });
}
