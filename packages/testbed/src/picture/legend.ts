import { textWidth } from './layout.ts';
import { drawMark } from './mark.ts';
import type { Scene } from './scene.ts';
import { attributes, escaped } from './xml.ts';

interface Entry {
  readonly text: string;
  draw(x: number, y: number): string;
}

const sample = 34;
const rowHeight = 28;

/** Explains what is in the picture, and nothing that is not. */
function entriesOf({ operations, holdings, faults, messages }: Scene, hasEvidence: boolean): Entry[] {
  const has = (...outcomes: string[]): boolean => operations.some(({ outcome }) => outcomes.includes(outcome));
  const bar =
    (kind: string, outcome: 'ok' | 'failed' | 'ambiguous') =>
    (x: number, y: number): string => {
      const dash = kind === 'unsure' ? ' stroke-dasharray="5 3"' : '';
      const shape = `<rect class="${kind}" rx="5" stroke-width="1.5"${dash} ${attributes({ x, y: y - 9, width: sample, height: 18 })}/>`;
      return shape + drawMark(outcome, x + sample / 2, y);
    };
  const entries: (Entry | false)[] = [
    has('ok') && { text: 'done', draw: bar('ok', 'ok') },
    has('failed') && { text: 'refused: it did not happen', draw: bar('failed', 'failed') },
    has('ambiguous', 'pending') && {
      text: 'no answer: it may happen at any later time, or never',
      draw: bar('unsure', 'ambiguous'),
    },
    holdings.length > 0 && {
      text: 'considers itself the holder of the lease',
      draw: (x, y) => `<rect class="lease-0" rx="4" ${attributes({ x, y: y - 7, width: sample, height: 14 })}/>`,
    },
    faults.length > 0 && {
      text: 'fault',
      draw: (x, y) => {
        const area = attributes({ x, y: y - 9, width: sample, height: 18 });
        return `<rect class="fault" fill-opacity="0.1" ${area}/><rect fill="url(#hatch)" fill-opacity="0.22" ${area}/>`;
      },
    },
    messages.some(({ receivedAt }) => receivedAt !== undefined) && {
      text: 'message',
      draw: (x, y) =>
        `<line class="message" ${attributes({ x1: x, y1: y, x2: x + sample - 8, y2: y })}/><path class="message-head" d="M${x + sample} ${y}l-9 -4.5v9Z"/>`,
    },
    messages.some(({ receivedAt }) => receivedAt === undefined) && {
      text: 'message lost',
      draw: (x, y) =>
        `<line class="message" stroke-dasharray="4 4" ${attributes({ x1: x, y1: y, x2: x + sample - 8, y2: y })}/><path class="wrong" stroke-width="2.5" d="M${x + sample - 13} ${y - 5}l10 10m0 -10l-10 10"/>`,
    },
    hasEvidence && {
      text: 'evidence: these contradict each other',
      draw: (x, y) =>
        `<rect class="wrong" rx="7" ${attributes({ x: x + 1, y: y - 9, width: sample - 2, height: 18 })}/>`,
    },
  ];
  return entries.filter((entry) => entry !== false);
}

function placed(scene: Scene, hasEvidence: boolean, width: number): { entry: Entry; x: number; y: number }[] {
  let x = 24;
  let y = rowHeight / 2;
  return entriesOf(scene, hasEvidence).map((entry) => {
    const wide = sample + 10 + textWidth(entry.text, 12) + 26;
    if (x > 24 && x + wide > width) {
      x = 24;
      y += rowHeight;
    }
    const place = { entry, x, y };
    x += wide;
    return place;
  });
}

export function legendHeight(scene: Scene, hasEvidence: boolean, width: number): number {
  return (placed(scene, hasEvidence, width).at(-1)?.y ?? 0) + rowHeight / 2;
}

export function drawLegend(scene: Scene, hasEvidence: boolean, width: number): string {
  return placed(scene, hasEvidence, width)
    .map(({ entry, x, y }) => {
      const text = `<text class="ink" ${attributes({ x: x + sample + 10, y: y + 4.5 })}>${escaped(entry.text)}</text>`;
      return entry.draw(x, y) + text;
    })
    .join('');
}
