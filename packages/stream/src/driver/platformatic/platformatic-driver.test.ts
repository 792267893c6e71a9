import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const driver = new URL('platformatic-driver.ts', import.meta.url).href;

/** A process in which the library is not installed. */
const program = `
  import { registerHooks } from 'node:module';
  registerHooks({
    resolve(specifier, context, next) {
      if (!specifier.startsWith('@platformatic/')) return next(specifier, context);
      throw Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' });
    },
  });
  const { platformaticDriver } = await import(${JSON.stringify(driver)});
  const failed = await platformaticDriver({}).catch((error) => error);
  console.log(JSON.stringify({ code: failed.code, argument: failed.argument, message: failed.message }));
`;

test('says what to install when its library is not there', async () => {
  const args = ['--conditions=@quorate/source', '--input-type=module', '--eval', program];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  expect(JSON.parse(stdout)).toMatchObject({
    code: 'invalid-argument',
    argument: 'driver',
    message: expect.stringContaining('@platformatic/kafka'),
  });
});
