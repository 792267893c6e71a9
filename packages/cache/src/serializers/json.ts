import type { TextSerializer } from './serializer.ts';

/** JSON: readable, fast, and what a value with a `Date` or a `Map` does not survive as it was. */
export const json: TextSerializer = {
  name: 'json',
  encode: (value) => {
    const text = JSON.stringify(value);
    // A function or a symbol has no JSON: stringify gives undefined, which its type does not say.
    if ((text as string | undefined) === undefined)
      throw new TypeError(`JSON cannot represent a value of type ${typeof value}`);
    return text;
  },
  parse: (text) => JSON.parse(text),
};
