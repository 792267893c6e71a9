import { expect, test } from 'vitest';
import { printable, printableJson } from './printable.ts';

const esc = String.fromCodePoint(0x1b);
const csi = String.fromCodePoint(0x9b);
const backwards = String.fromCodePoint(0x202e);
const tag = String.fromCodePoint(0xe0041);

test('what would move the cursor, turn the writing or hide is shown as its number', () => {
  expect(printable(`a${esc}[2Jb`)).toBe('a\\u{1b}[2Jb');
  expect(printable(`${csi}31m\r\n\t`)).toBe('\\u{9b}31m\\u{d}\\u{a}\\u{9}');
  expect(printable(`${backwards}txt.exe${tag}`)).toBe('\\u{202e}txt.exe\\u{e0041}');
  expect(printable('grüße, 東京 🚕 é')).toBe('grüße, 東京 🚕 é');
});

test('what is too long is cut', () => {
  expect(printable('x'.repeat(2_000_000), 10)).toBe('xxxxxxxxxx…');
  expect(printable(esc.repeat(10), 10)).toBe('\\u{1b}\\u{1…');
  expect(printable('x'.repeat(10), 10)).toBe('xxxxxxxxxx');
});

test('JSON keeps them, and prints none of them', () => {
  const value = { [`name${csi}`]: `${esc}${backwards}${tag}\n`, plain: 'grüße 🚕' };
  const text = printableJson(value, 2);
  expect(JSON.parse(text)).toEqual(value);
  expect(text.replaceAll('\n', '')).not.toMatch(/\p{C}/u);
  expect(text).toContain('grüße 🚕');
});
