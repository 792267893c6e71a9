import type { Demo } from '@quorate/concepts';
import { InvalidArgumentError, QuorateError } from '@quorate/core';

/** The demos of the repository. They are not published with the command: there they are missing, and it says so. */
export async function concepts(): Promise<readonly Demo[]> {
  try {
    return (await import('@quorate/concepts')).demos;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw cause;
    throw new QuorateError(
      'the demos are not installed: they are part of the repository of Quorate, where "npm run demo -- consensus" runs one; ' +
        'quorate demo everything needs none of them',
      { code: 'demos-missing', cause },
    );
  }
}

export async function concept(name: string): Promise<Demo> {
  const demos = await concepts();
  const demo = demos.find((one) => one.name === name);
  if (demo) return demo;
  throw new InvalidArgumentError('demo', `one of ${[...demos.map((one) => one.name), 'everything'].join(', ')}`, name);
}
