import { InvalidArgumentError, Option } from 'commander';

/** `--name`: which of the beds in the background is meant. */
export function bedName(): Option {
  return new Option('--name <name>', 'the name of the bed').default('default').argParser((name) => {
    if (!/^[a-z0-9][a-z0-9-]{0,30}$/.test(name))
      throw new InvalidArgumentError('Expected lower-case letters, digits and dashes, at most 31.');
    return name;
  });
}
