import { execFile } from 'node:child_process';

/** How pip is called here, or undefined where there is none. */
export async function findPip(): Promise<readonly string[] | undefined> {
  for (const call of [['python3', '-m', 'pip'], ['pip3'], ['pip']]) {
    const [command = '', ...args] = call;
    const works = await new Promise<boolean>((resolve) => {
      execFile(command, [...args, '--version'], { timeout: 20_000 }, (error) => resolve(error === null));
    });
    if (works) return call;
  }
  return undefined;
}
