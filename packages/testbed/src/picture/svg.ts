import type { History } from '../history/history.ts';
import type { Verdict } from '../verdict/verdict.ts';
import { barHeight, type Layout, type LayoutOptions, layoutOf, type Placed, textWidth } from './layout.ts';
import { drawLegend, legendHeight } from './legend.ts';
import { drawMark } from './mark.ts';
import { type OperationSpan, type Scene, type SceneOptions, sceneOf } from './scene.ts';
import { leaseColours, styleSheet, type Theme } from './theme.ts';
import { attributes, escaped, round } from './xml.ts';

export interface PictureOptions extends SceneOptions, LayoutOptions {
  readonly title?: string;
  /** Marks the operations of its evidence, and says what it found. */
  readonly verdict?: Verdict;
  /** Default `auto`: as the reader's screen is set. */
  readonly theme?: Theme;
}

/** A Lamport diagram of the history: a line for each process, time to the right. A complete SVG document. */
export function lamportSvg(history: History, options: PictureOptions = {}): string {
  const { title = 'What happened, process by process', verdict, theme = 'auto' } = options;
  const scene = sceneOf(history, { ...options, evidence: verdict?.evidence?.lines ?? [] });
  const layout = layoutOf(scene, options);
  const evidence = verdict?.evidence?.lines ?? [];
  const wrong = {
    operations: new Set(evidence.map(({ operation }) => operation)),
    holdings: new Set(evidence.map(({ process, holding }) => holdingKey(process, holding?.lease, holding?.token))),
  };
  const leases = [...new Set(scene.holdings.map(({ lease }) => lease))];
  const why = wrapped(verdict?.evidence?.why ?? '', 130);
  const head = 84 + why.length * 20;
  const axis = 34;
  const width = Math.max(layout.width, textWidth(title, 20) + 60, 900);
  const legend = legendHeight(scene, evidence.length > 0, width);
  const height = head + layout.height + axis + legend + 16;
  const body = [
    `<rect class="paper" width="100%" height="100%"/>`,
    `<text class="ink title" x="24" y="36">${escaped(title)}</text>`,
    drawSubtitle(scene, verdict),
    ...why.map((line, index) => `<text class="ink" x="24" y="${84 + index * 20}">${escaped(line)}</text>`),
    `<text class="muted small" text-anchor="end" ${attributes({ x: width - 24, y: 36 })}>${pace(options)}</text>`,
    `<g transform="translate(0 ${head})">`,
    drawGround(layout, width),
    drawFaults(layout),
    drawLines(layout),
    drawHoldings(layout, leases, wrong.holdings),
    ...layout.operations.map((bar) => drawOperation(bar, wrong.operations.has(bar.item.id))),
    drawMessages(layout),
    drawFaultNames(layout),
    `</g>`,
    `<g transform="translate(0 ${head + layout.height + axis})">`,
    drawLegend(scene, evidence.length > 0, width),
    `</g>`,
  ];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${round(width)} ${round(height)}" width="${round(width)}" height="${round(height)}" role="img" aria-labelledby="picture-title picture-description">`,
    `<title id="picture-title">${escaped(title)}</title>`,
    `<desc id="picture-description">${escaped(description(scene, verdict))}</desc>`,
    `<style>${styleSheet(theme)}</style>`,
    `<defs><pattern id="hatch" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect class="fault" width="2" height="7"/></pattern></defs>`,
    ...body,
    '</svg>',
    '',
  ].join('\n');
}

function pace({ scale = 'readable' }: PictureOptions): string {
  return scale === 'linear' ? 'time goes to the right' : 'time goes to the right, stretched where much happens';
}

/** The verdict as a badge with what was found beside it. */
function drawSubtitle(scene: Scene, verdict: Verdict | undefined): string {
  const left = scene.omitted > 0 ? ` · ${scene.omitted} more are not drawn` : '';
  if (verdict === undefined) {
    const text = `${scene.operations.length} operations, ${scene.processes.length} processes${left}`;
    return `<text class="muted" x="24" y="60">${escaped(text)}</text>`;
  }
  const word = verdict.result.toUpperCase();
  const width = textWidth(word, 12) + 20;
  const [text = ''] = wrapped(`${verdict.check}: ${verdict.summary}${left}`, 130);
  return `<rect class="badge-${verdict.result}" x="24" y="46" rx="10" ${attributes({ width, height: 20 })}/><text class="on-lease small" font-weight="700" text-anchor="middle" ${attributes({ x: 24 + width / 2, y: 60.5 })}>${word}</text><text class="muted" ${attributes({ x: 34 + width, y: 60.5 })}>${escaped(text)}</text>`;
}

/** Lines of at most so many characters, three of them. */
function wrapped(text: string, most: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ').filter((part) => part !== '')) {
    const line = lines.at(-1);
    if (line !== undefined && line.length + 1 + word.length <= most) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word.slice(0, most));
  }
  return lines.length <= 3 ? lines : [...lines.slice(0, 2), `${lines[2]} …`];
}

function description(scene: Scene, verdict: Verdict | undefined): string {
  const { processes, operations, faults, holdings } = scene;
  const unsure = operations.filter(({ outcome }) => outcome === 'ambiguous' || outcome === 'pending').length;
  const parts = [
    `A diagram with one line for each of ${processes.length} processes: ${processes.join(', ')}. Time goes to the right.`,
    `${operations.length} operations, of which ${unsure} may or may not have happened.`,
    ...faults.map(({ label, process }) => `Fault: ${label} of ${process}.`).slice(0, 20),
    ...holdings.map(({ process, label }) => `${process} held ${label}.`).slice(0, 20),
    ...(verdict === undefined ? [] : [`Verdict: ${verdict.result}. ${verdict.evidence?.why ?? verdict.summary}`]),
  ];
  return parts.join(' ');
}

function drawGround({ lanes, ticks, height, left, right }: Layout, width: number): string {
  const stripes = lanes.map(({ y, height: tall }, index) =>
    index % 2 === 0 ? `<rect class="stripe" x="0" ${attributes({ y, width, height: tall })}/>` : '',
  );
  const times = ticks.map(
    ({ x, label }) =>
      `<line class="rule" ${attributes({ x1: x, y1: 0, x2: x, y2: height + 6 })}/><text class="muted small" text-anchor="middle" ${attributes({ x, y: height + 22 })}>${escaped(label)}</text>`,
  );
  const axis = `<line class="rule" ${attributes({ x1: left, y1: height, x2: right, y2: height })}/>`;
  return [...stripes, ...times, axis].join('');
}

function drawLines({ lanes, left, right }: Layout): string {
  return lanes
    .map(
      ({ process, line }) =>
        `<text class="ink name" x="24" ${attributes({ y: line + 5 })}>${escaped(process)}</text><line class="line" ${attributes({ x1: left, y1: line, x2: right, y2: line })}/>`,
    )
    .join('');
}

function drawFaults({ faults }: Layout): string {
  return faults
    .map(({ item, x, y, width, height, open }) => {
      const area = attributes({ x, y, width, height });
      const far = x + width;
      const edges = `M${round(x)} ${round(y)}v${round(height)}${open ? '' : `M${round(far)} ${round(y)}v${round(height)}`}`;
      return `<g><title>${escaped(`${item.label}: ${item.process}`)}</title><rect class="fault" fill-opacity="0.1" ${area}/><rect fill="url(#hatch)" fill-opacity="0.22" ${area}/><path class="fault-edge" stroke-width="1.5" d="${edges}"/></g>`;
    })
    .join('');
}

function drawFaultNames({ faults }: Layout): string {
  return faults
    .map(
      ({ item, x, y }) =>
        `<text class="fault-ink small halo" font-weight="600" ${attributes({ x: x + 8, y: y + 17 })}>${escaped(item.label)}</text>`,
    )
    .join('');
}

function holdingKey(process: string, lease: string | undefined, token: string | undefined): string {
  return JSON.stringify([process, lease, token]);
}

function drawHoldings({ holdings }: Layout, leases: readonly string[], wrong: ReadonlySet<string>): string {
  return holdings
    .map(({ item, x, y, width, height, open }) => {
      const fits = textWidth(item.label, 12) + 14 <= width;
      const ink = fits ? 'on-lease' : 'ink';
      const text = `<text class="${ink} small" font-weight="600" ${attributes({ x: fits ? x + 8 : x + width + 5, y: y + 14.5 })}>${escaped(item.label)}</text>`;
      const colour = leases.indexOf(item.lease) % leaseColours;
      // The right end is square and runs to the edge when nobody released it.
      const shape = `<rect class="lease-${colour}" rx="${open ? 0 : 5}" ${attributes({ x, y, width, height })}/>`;
      return `<g><title>${escaped(`${item.process} holds ${item.label}`)}</title>${shape}${text}${wrong.has(holdingKey(item.process, item.lease, item.token)) ? ring({ x, y, width, height }) : ''}</g>`;
    })
    .join('');
}

/** Marks what is evidence. */
function ring({ x, y, width, height }: { x: number; y: number; width: number; height: number }): string {
  return `<rect class="wrong" rx="9" ${attributes({ x: x - 4, y: y - 4, width: width + 8, height: height + 8 })}/>`;
}

function drawOperation({ item, x, y, width, height, open }: Placed<OperationSpan>, isWrong: boolean): string {
  const kind = item.outcome === 'ok' ? 'ok' : item.outcome === 'failed' ? 'failed' : 'unsure';
  const dash = kind === 'unsure' ? ' stroke-dasharray="5 3"' : '';
  const bar = `<rect class="${kind}" rx="6" stroke-width="1.5"${dash} ${attributes({ x, y, width, height })}/>`;
  const fits = textWidth(item.label) + 26 <= width;
  const label = fits || width > 60 ? shortened(item.label, width - 28) : '';
  const strike = kind === 'failed' ? ' text-decoration="line-through"' : '';
  const text = `<text class="${kind}-ink"${strike} ${attributes({ x: x + 9, y: y + barHeight / 2 + 4.5 })}>${escaped(label)}</text>`;
  const mark = width >= 20 ? drawMark(item.outcome, x + width - (open ? 26 : 13), y + height / 2) : '';
  const told = `${item.process}: ${item.label} (${item.outcome})`;
  return `<g><title>${escaped(told)}</title>${bar}${text}${mark}${isWrong ? ring({ x, y, width, height }) : ''}</g>`;
}

function shortened(label: string, room: number): string {
  const most = Math.floor(room / textWidth('m'));
  return [...label].length <= most + 1 ? label : `${[...label].slice(0, Math.max(1, most - 1)).join('')}…`;
}

function drawMessages({ arrows }: Layout): string {
  return arrows
    .map(({ message, x1, y1, x2, y2 }) => {
      const lost = message.receivedAt === undefined;
      const length = Math.hypot(x2 - x1, y2 - y1) || 1;
      const [dx, dy] = [(x2 - x1) / length, (y2 - y1) / length];
      const head = lost
        ? `<path class="wrong" stroke-width="2.5" d="M${round(x2 - 5)} ${round(y2 - 5)}l10 10m0 -10l-10 10"/>`
        : `<path class="message-head" d="M${round(x2)} ${round(y2)}L${round(x2 - 9 * dx - 4.5 * dy)} ${round(y2 - 9 * dy + 4.5 * dx)}L${round(x2 - 9 * dx + 4.5 * dy)} ${round(y2 - 9 * dy - 4.5 * dx)}Z"/>`;
      const shaft = `<line class="message"${lost ? ' stroke-dasharray="4 4"' : ''} ${attributes({ x1, y1, x2: x2 - (lost ? 0 : 7 * dx), y2: y2 - (lost ? 0 : 7 * dy) })}/>`;
      const label =
        message.label === undefined
          ? ''
          : `<text class="muted small halo" ${attributes({ x: (x1 + x2) / 2 + 7, y: (y1 + y2) / 2 + 4 })}>${escaped(message.label)}</text>`;
      const told = `${message.from} to ${message.to}${message.label === undefined ? '' : `: ${message.label}`}${lost ? ' (lost)' : ''}`;
      return `<g><title>${escaped(told)}</title>${shaft}${head}${label}</g>`;
    })
    .join('');
}
