/** Whatever moves the cursor, turns the writing round, breaks the line or is not to be seen at all. */
const unprintable = /[\p{C}\p{Zl}\p{Zp}]/gu;

/**
 * Text that anybody may have written, fit for a terminal: what is no plain character is shown as its number, and what is
 * too long is cut.
 */
export function printable(text: string, most = 120): string {
  // Cut first: nobody needs the number of every byte of a megabyte.
  const start = text.slice(0, most + 1);
  const shown = start.replace(unprintable, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
  return start.length < text.length || shown.length > most ? `${shown.slice(0, most)}…` : shown;
}

/** As JSON that is safe to print: the same characters are written as escapes, which JSON reads back. */
export function printableJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent).replace(unprintable, (character) =>
    character === '\n' ? character : [...units(character)].join(''),
  );
}

function* units(character: string): Iterable<string> {
  for (let index = 0; index < character.length; index += 1)
    yield `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`;
}

/** Large numbers, such as offsets, as text: they may be larger than what JSON's numbers can say. */
export function asJson(value: unknown): string {
  const plain = JSON.parse(JSON.stringify(value, (_, one) => (typeof one === 'bigint' ? String(one) : one)));
  return printableJson(plain, 2);
}
