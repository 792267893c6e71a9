import { WrongKindError } from '../errors/wrong-kind-error.ts';

/** What is kept in the text of a node. */
export interface TextKind {
  /** For errors: `a counter`. */
  readonly what: string;
  /** For the node: `counter`. */
  readonly word: string;
}

/** Who made a version of a node: a mark that nothing else was written with. */
export interface Signature {
  readonly version: number;
  readonly mark: string;
}

export interface SignedText {
  readonly text: string;
  /** The latest first. */
  readonly signatures: readonly Signature[];
}

/** So many writers are remembered: whose reply is lost finds out what became of its write unless more have written since. */
const remembered = 16;

const lastLine = /^#quorate ([a-z]+)((?: \d+:[\w-]+)*)$/;

/**
 * Text with a last line that says who made its latest versions: `42\n#quorate counter 7:x8Ae… 6:9fQb…`. The versions
 * are there so that a line which somebody has copied along, editing the text by hand, misleads nobody.
 */
export function signedText({ word }: TextKind, { text, signatures }: SignedText): string {
  const line = signatures.slice(0, remembered).map(({ version, mark }) => ` ${version}:${mark}`);
  return `${text}\n#quorate ${word}${line.join('')}`;
}

/** The reverse. Text that was written by hand, or by others, has no such line and no signatures. */
export function parseSignedText(path: string, { what, word }: TextKind, data: Buffer): SignedText {
  const whole = data.toString();
  const end = whole.lastIndexOf('\n');
  const [, found, line = ''] = lastLine.exec(whole.slice(end + 1)) ?? [];
  if (end < 0 || found === undefined) return { text: whole, signatures: [] };
  if (found !== word) throw new WrongKindError(path, what, `data marked as "${found}"`);
  const signatures = line
    .split(' ')
    .slice(1)
    .map((each) => {
      const [version, mark = ''] = each.split(':');
      return { version: Number(version), mark };
    });
  return { text: whole.slice(0, end), signatures };
}
