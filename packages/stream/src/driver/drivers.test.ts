import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const drivers = new URL('drivers.ts', import.meta.url).href;

/** A process in which the library is not installed. */
const programWithout = (library: string, driver: string): string => `
  import { registerHooks } from 'node:module';
  registerHooks({
    resolve(specifier, context, next) {
      if (!specifier.startsWith(${JSON.stringify(library)})) return next(specifier, context);
      throw Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' });
    },
  });
  const { drivers } = await import(${JSON.stringify(drivers)});
  const failed = await drivers.${driver}({}).catch((error) => error);
  console.log(JSON.stringify({ code: failed.code, argument: failed.argument, message: failed.message }));
`;

test.each([
  ['kafkajs', 'kafkajs'],
  ['@platformatic/kafka', 'platformatic'],
])('says that %s is to be installed when it is not there', async (library, driver) => {
  const program = programWithout(library, driver);
  const args = ['--conditions=@quorate/source', '--input-type=module', '--eval', program];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  expect(JSON.parse(stdout)).toMatchObject({
    code: 'invalid-argument',
    argument: 'driver',
    message: expect.stringContaining(`npm install ${library}`),
  });
});
