/** Text that can stand in an element or a quoted attribute. What XML cannot hold becomes a replacement character. */
export function escaped(text: string): string {
  return text
    .toWellFormed()
    .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

export function attributes(values: Readonly<Record<string, number>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}="${round(value)}"`)
    .join(' ');
}

/** Hundredths of a pixel, so that pictures stay small and two runs give the same file. */
export function round(value: number): number {
  return Math.round(value * 100) / 100;
}
