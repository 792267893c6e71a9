/** What processes tell each other. The first letter says what it is. */
export type Message =
  /** An entry was written or deleted by `sender`. */
  | { readonly kind: 'key'; readonly sender: string; readonly key: string }
  | { readonly kind: 'tags'; readonly clock: number; readonly tags: readonly string[] }
  /** Everything was cleared. */
  | { readonly kind: 'clear'; readonly clock: number }
  | { readonly kind: 'version'; readonly number: number; readonly namespace: string; readonly version: string }
  /** To one process alone: there is something to look at for this key. */
  | { readonly kind: 'wake'; readonly key: string };

export const keyMessage = (sender: string, key: string): string => `k${sender} ${key}`;
export const wakeMessage = (key: string): string => `w${key}`;
/** Redis puts the clock after it. */
export const clearMessage = 'c';
/** Redis puts the clock between the two parts. */
export const tagsMessage = (tags: readonly string[]): [before: string, after: string] => [
  't',
  ` ${JSON.stringify(tags)}`,
];
export const versionMessage = (namespace: string, version: string): [before: string, after: string] => [
  'v',
  ` ${JSON.stringify([namespace, version])}`,
];

/** Undefined for what is not ours: anybody may publish on a channel. */
export function parseMessage(text: string): Message | undefined {
  const rest = text.slice(1);
  const space = rest.indexOf(' ');
  const [first, second] = [rest.slice(0, space), rest.slice(space + 1)];
  try {
    switch (text[0]) {
      case 'w':
        return { kind: 'wake', key: rest };
      case 'k':
        return space > 0 ? { kind: 'key', sender: first, key: second } : undefined;
      case 'c':
        return isNumber(rest) ? { kind: 'clear', clock: Number(rest) } : undefined;
      case 't': {
        const tags: unknown = JSON.parse(second);
        return isNumber(first) && isTexts(tags) ? { kind: 'tags', clock: Number(first), tags } : undefined;
      }
      case 'v': {
        const named: unknown = JSON.parse(second);
        if (!isNumber(first) || !isTexts(named)) return undefined;
        const [namespace, version] = named;
        if (namespace === undefined || version === undefined) return undefined;
        return { kind: 'version', number: Number(first), namespace, version };
      }
      default:
        return undefined;
    }
  } catch {
    return undefined;
  }
}

const isNumber = (text: string): boolean => /^\d{1,16}$/.test(text);
const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((each) => typeof each === 'string');
