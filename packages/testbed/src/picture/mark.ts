import type { Operation } from '../history/operation.ts';
import { round } from './xml.ts';

/** The outcome as a shape, so that nobody needs to tell colours apart: a tick, a cross, a question mark. */
export function drawMark(outcome: Operation['outcome'], x: number, y: number): string {
  const at = `M${round(x)} ${round(y)}`;
  if (outcome === 'ok') return `<path class="ok-mark" d="${at}m-5 0l3.5 4l6 -8"/>`;
  if (outcome === 'failed') return `<path class="failed-mark" d="${at}m-4 -4l8 8m0 -8l-8 8"/>`;
  return `<path class="unsure-mark" d="${at}m-3.5 -3c0 -4.5 7 -4.5 7 0c0 2.5 -3.5 2 -3.5 4.5m0 3.2v0.1"/>`;
}
