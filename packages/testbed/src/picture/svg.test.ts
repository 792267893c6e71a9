import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { simulatedRun } from '../../test/verdict-simulated-run.ts';
import { story } from '../../test/verdict-story.ts';
import { History } from '../history/history.ts';
import { check } from '../verdict/check.ts';
import { register } from '../verdict/register.ts';
import { lamportHtml } from './html.ts';
import { layoutOf, textWidth } from './layout.ts';
import { sceneOf } from './scene.ts';
import { lamportSvg } from './svg.ts';
import { pageColours } from './theme.ts';

/** The text of a document, when every element in it is closed in the right order; throws when not. */
function textIn(xml: string): string {
  const open: string[] = [];
  for (const [, slash, name, selfClosed] of xml.matchAll(/<(\/?)([a-z][\w-]*)(?:\s[^<>]*?)?(\/?)>/g)) {
    if (slash === '/') expect(open.pop()).toBe(name);
    else if (selfClosed !== '/') open.push(name as string);
  }
  expect(open).toEqual([]);
  const left = xml.replace(/<style>.*?<\/style>/gs, '').replace(/<[^<>]*>/g, '\n');
  expect(left).not.toMatch(/[<>]|&(?!(amp|lt|gt|quot);)/);
  return left;
}

function paused(): History {
  let now = 0;
  const history = new History({ clock: () => now });
  const at = (time: number): void => {
    now = time;
  };
  const asked = history.message('node-1', 'zookeeper', 'acquire');
  at(1);
  asked.received();
  const held = history.held('node-1', 'leader', 7n);
  at(2);
  const pause = history.fault('pause', 'node-1');
  history.message('zookeeper', 'node-1', 'expired');
  at(20);
  history.held('node-2', 'leader', 8n);
  const write = history.invoke('node-2', 'write', { key: 'x', value: 'new', token: 8n });
  at(25);
  write.ok();
  at(30);
  pause.end();
  const late = history.invoke('node-1', 'write', { key: 'x', value: 'old', token: 7n });
  const read = history.invoke('node-3', 'read', { key: 'x' });
  at(35);
  late.ok();
  read.failed('not connected');
  held.released('lost');
  history.invoke('node-2', 'write', { key: 'x', value: 'newer', token: 8n }).ambiguous('reply lost');
  return history;
}

describe('the picture', () => {
  test('shows who did what, who held the lease with what token, what broke and what was sent', () => {
    const text = textIn(lamportSvg(paused()));
    for (const shown of [
      'node-1',
      'node-2',
      'node-3',
      'zookeeper',
      'write x new token=8',
      'read x',
      'leader · token 7',
    ]) {
      expect(text).toContain(shown);
    }
    for (const shown of ['pause', 'acquire', 'expired', 'message lost', 'refused', 'no answer', 'done', 'fault']) {
      expect(text).toContain(shown);
    }
    expect(text).toContain('zookeeper to node-1: expired (lost)');
  });

  test('marks the evidence of a verdict, and says what it is', () => {
    const history = paused();
    const plain = lamportSvg(history);
    expect(plain).not.toContain('class="wrong" rx="9"');
    const fenced = lamportSvg(history, { verdict: check.tokensIncrease(history) });
    expect(fenced.match(/class="wrong" rx="9"/g)).toHaveLength(2);
    expect(textIn(fenced)).toContain('node-1 was served with token 7 after token 8 had been seen');
    const shared = lamportSvg(history, { verdict: check.exclusive(history) });
    expect(shared.match(/class="wrong" rx="9"/g)).toHaveLength(2);
  });

  test('can be read by a machine that reads aloud', () => {
    const svg = lamportSvg(paused(), { title: 'A leader is paused' });
    expect(svg).toContain('role="img" aria-labelledby="picture-title picture-description"');
    expect(svg).toContain('<title id="picture-title">A leader is paused</title>');
    expect(svg).toMatch(
      /<desc id="picture-description">A diagram with one line for each of 4 processes.*Fault: pause of node-1/,
    );
  });

  test('needs nothing from anywhere, and runs nothing', () => {
    const page = lamportHtml(paused(), { verdict: check.exclusive(paused()) });
    expect(page.replaceAll('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:|<script|<link|@import|url\((?!#)/);
    textIn(page.replace('<!doctype html>', '').replace(/<meta[^>]*>/g, ''));
  });

  test('the same history gives the same picture, byte for byte', () => {
    expect(lamportHtml(paused())).toBe(lamportHtml(paused()));
  });

  test('follows the reader’s screen, or is as it was asked to be', () => {
    expect(lamportSvg(paused())).toContain('prefers-color-scheme: dark');
    expect(lamportSvg(paused(), { theme: 'dark' })).not.toContain('prefers-color-scheme');
    expect(lamportSvg(paused(), { theme: 'dark' })).toContain(pageColours().dark.paper);
  });

  test.each([
    ['<script>alert(1)</script>', '&lt;script&gt;alert(1)&lt;/script&gt;'],
    ['a"b&c', 'a&quot;b&amp;c'],
    ['bell\u0007 half\ud800', 'bell\ufffd half\ufffd'],
  ])('a process called %j stays text', (name, expected) => {
    const history = story(({ ok, held, fault }) => {
      ok(name, 0, 1, name, { key: name, value: name });
      held(name, 0, 1, name, 1n);
      fault(name, name, 0, 1);
    });
    expect(textIn(lamportSvg(history, { title: name }))).toContain(expected);
  });

  test('an empty history is an empty picture, not an error', () => {
    textIn(lamportSvg(new History()));
    textIn(lamportSvg(new History(), { scale: 'linear', verdict: check.linearizable(new History(), register()) }));
  });
});

describe('a history too long to draw', () => {
  const run = { seed: 3, object: 'register' as const, operations: 2_000, keys: 1, clients: 5 };

  test('is cut, and says so', () => {
    const scene = sceneOf(simulatedRun(run), { limit: 50 });
    expect(scene.operations).toHaveLength(50);
    expect(lamportSvg(simulatedRun(run), { limit: 50 })).toContain('more are not drawn');
  });

  test('is cut around the evidence, which is always drawn', () => {
    const history = simulatedRun({ ...run, lieAfter: 0.8 });
    const verdict = check.linearizable(history, register());
    const evidence = verdict.evidence?.lines ?? [];
    const scene = sceneOf(history, { evidence });
    expect(scene.operations.length).toBeLessThan(50);
    expect(scene.operations.map(({ id }) => id)).toEqual(
      expect.arrayContaining(evidence.map(({ operation }) => operation)),
    );
  });

  test('shows the time and the processes that were asked for', () => {
    const scene = sceneOf(simulatedRun(run), { from: 1, to: 2, processes: ['client-1', 'client-2'] });
    expect(new Set(scene.operations.map(({ process }) => process))).toEqual(new Set(['client-1', 'client-2']));
    for (const { from, to = 2 } of scene.operations) {
      expect(from).toBeLessThanOrEqual(2);
      expect(to).toBeGreaterThanOrEqual(1);
    }
    expect(() => sceneOf(simulatedRun(run), { from: 2, to: 1 })).toThrow('from, to: expected');
  });
});

test('whatever happens, bars keep the order of time, do not cover one another, and fit their labels', () => {
  const operation = fc.record({
    process: fc.constantFrom('a', 'b'),
    from: fc.nat(10_000),
    lasts: fc.integer({ min: 1, max: 5_000 }),
    value: fc.string({ maxLength: 12, unit: 'grapheme-ascii' }),
  });
  fc.assert(
    fc.property(fc.array(operation, { minLength: 1, maxLength: 25 }), (operations) => {
      const history = story(({ ok }) => {
        for (const { process, from, lasts, value } of operations)
          ok(process, from, from + lasts, 'write', { key: 'x', value });
      });
      const { operations: bars } = layoutOf(sceneOf(history));
      for (const bar of bars) {
        expect(bar.width).toBeGreaterThanOrEqual(textWidth(bar.item.label));
        for (const other of bars) {
          if (bar.item.from < other.item.from) expect(bar.x).toBeLessThan(other.x);
          if (bar === other || bar.y !== other.y) continue;
          expect(bar.x + bar.width <= other.x + 0.6 || other.x + other.width <= bar.x + 0.6).toBe(true);
        }
      }
    }),
    { seed: 5, numRuns: 200 },
  );
});

describe('contrast', () => {
  const luminance = (colour: string): number => {
    const [red = 0, green = 0, blue = 0] = [1, 3, 5]
      .map((place) => Number.parseInt(colour.slice(place, place + 2), 16) / 255)
      .map((part) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const contrast = (a: string, b: string): number => {
    const [lighter = 0, darker = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x);
    return (lighter + 0.05) / (darker + 0.05);
  };

  test.each(Object.entries(pageColours()))('every text of the %s theme can be read (WCAG AA)', (_, colour) => {
    const pairs: [ink: string, ground: string][] = [
      [colour.ink, colour.paper],
      [colour.ink, colour.stripe],
      [colour.muted, colour.paper],
      [colour.muted, colour.stripe],
      [colour.okInk, colour.ok],
      [colour.failedInk, colour.failed],
      [colour.unsureInk, colour.unsure],
      [colour.faultInk, colour.stripe],
      [colour.onLease, colour.lease0],
      [colour.onLease, colour.lease1],
      [colour.onLease, colour.lease2],
      [colour.onLease, colour.lease3],
      [colour.onLease, colour.wrong],
      [colour.onLease, colour.unsureEdge],
    ];
    for (const [ink, ground] of pairs) expect(contrast(ink, ground), `${ink} on ${ground}`).toBeGreaterThanOrEqual(4.5);
  });
});
