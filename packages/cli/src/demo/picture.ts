import { existsSync, statSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname, extname } from 'node:path';
import type { Outcome } from '@quorate/concepts';
import { lamportHtml } from '@quorate/testbed';
import { InvalidArgumentError } from 'commander';

/** `--picture`: refused before anything starts, not after the demo is over. */
export function pictureFile(file: string): string {
  if (extname(file) !== '.html') throw new InvalidArgumentError('Expected a file that ends in .html.');
  const folder = dirname(file);
  if (!existsSync(folder) || !statSync(folder).isDirectory())
    throw new InvalidArgumentError(`There is no folder ${folder}.`);
  return file;
}

/** Writes the picture, and beside it the history of which it shows a part. */
export async function savePicture(file: string, { history, picture }: Outcome): Promise<string[]> {
  const lines = file.replace(/\.html$/, '.jsonl');
  await writeFile(file, lamportHtml(picture.history, picture.options));
  await history.save(lines);
  return [file, lines];
}
