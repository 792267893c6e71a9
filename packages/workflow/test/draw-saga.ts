// Draws docs/pictures/saga-undone.svg from a run of now: `node --conditions=@quorate/source packages/workflow/test/draw-saga.ts`.
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Testbed } from '@quorate/testbed';
import { Pool } from 'pg';
import { PostgresEffects } from '../src/activity/index.ts';
import { bundle, Workflows } from '../src/index.ts';
import { tables } from './work/durable.ts';
import type * as rides from './work/long-rides.ts';
import { WorkerProcess } from './worker-processes.ts';

const steps = 4;
const place = 'undone-3';

/** What one worker did of the workflow, in milliseconds from its start. */
interface Bar {
  readonly worker: number;
  readonly name: string;
  readonly kind: 'step' | 'undo' | 'lost';
  readonly from: number;
  readonly to: number;
}

interface Event {
  readonly eventId: string;
  readonly eventTime: string;
  readonly activityTaskScheduledEventAttributes?: { readonly activityType: { readonly name: string } };
  readonly activityTaskStartedEventAttributes?: { readonly scheduledEventId: string; readonly identity: string };
  readonly activityTaskCompletedEventAttributes?: { readonly startedEventId: string };
}

/** The run, its death, and when it was over. */
async function perform(): Promise<{ bars: Bar[]; death: number; end: number; message: string }> {
  await using bed = await Testbed.start({ temporal: true, postgres: true });
  const out = join(tmpdir(), `quorate-saga-${process.pid}.js`);
  await using stack = new AsyncDisposableStack();
  stack.defer(() => rm(out, { force: true }));
  await bundle({ workflowsPath: new URL('work/long-rides.ts', import.meta.url), out });
  const pool = new Pool({ connectionString: bed.postgres.url });
  stack.defer(() => pool.end());
  await new PostgresEffects(pool).create();
  for (const table of tables) await pool.query(table);
  const { address } = bed.temporal;
  const workflows = stack.use(await Workflows.connect({ address, taskQueue: 'drawn' }));
  const plan = { address, taskQueue: 'drawn', bundle: out, postgres: bed.postgres.url, workMs: 300 };
  const first = stack.use(await WorkerProcess.start(plan));
  const run = await workflows.start<typeof rides.longRide>('longRide', {
    id: 'drawn',
    args: ['drawn', steps, place, true],
  });
  await first.exited;
  const died = Date.now();
  stack.use(await WorkerProcess.start(plan));
  const message = await run.result().then(
    () => 'it went well',
    (error: Error) => error.message,
  );
  const { events } = JSON.parse(await run.history()) as { events: Event[] };
  const begin = Date.parse(events[0]?.eventTime ?? '');
  const at = (event: Event | undefined): number => Date.parse(event?.eventTime ?? '') - begin;
  const byId = new Map(events.map((event) => [event.eventId, event]));
  const identities: string[] = [];
  const bars: Bar[] = [];
  let done = 0;
  let undone = steps;
  for (const completed of events) {
    const startedId = completed.activityTaskCompletedEventAttributes?.startedEventId;
    const started = byId.get(startedId ?? '');
    const begun = started?.activityTaskStartedEventAttributes;
    const scheduled = byId.get(begun?.scheduledEventId ?? '');
    if (started === undefined || begun === undefined || scheduled === undefined) continue;
    if (!identities.includes(begun.identity)) identities.push(begun.identity);
    const worker = identities.indexOf(begun.identity);
    const undoes = scheduled.activityTaskScheduledEventAttributes?.activityType.name === 'undoStep';
    const number = undoes ? undone-- : ++done;
    const name = undoes ? `undo ${number}` : `step ${number}`;
    // Of an attempt that nobody has told about the history knows only when it was to begin.
    if (name === 'undo 3') bars.push({ worker: 0, name, kind: 'lost', from: at(scheduled), to: died - begin });
    bars.push({ worker, name, kind: undoes ? 'undo' : 'step', from: at(started), to: at(completed) });
  }
  return { bars, death: died - begin, end: at(events.at(-1)), message };
}

/** One line of the picture. */
interface Row {
  readonly at: number;
  readonly worker: number;
  readonly kind: Bar['kind'] | 'death';
  readonly text: string;
  readonly remark: string;
}

const remarks: Readonly<Record<string, string>> = {
  'step 1': 'each effect is kept with the key of its step',
  'step 4': 'then the workflow fails: nobody pays',
  'undo 4': 'undone from the last step to the first',
  'undo 3': 'it finds that step 3 is undone, and does nothing',
};

function rowsOf(bars: readonly Bar[], death: number): Row[] {
  const rows = bars.map(({ worker, name, kind, from }): Row => {
    const remark = kind === 'lost' ? 'step 3 is undone, in the store' : (remarks[name] ?? '');
    return { at: from, worker, kind, text: name, remark };
  });
  rows.push({ at: death, worker: 0, kind: 'death', text: 'killed', remark: 'before it could say that' });
  return rows.sort((one, other) => one.at - other.at);
}

const left = { time: 30, lanes: [110, 300], remark: 500 };
const pitch = 36;
const top = 96;

function draw(rows: readonly Row[], end: number, message: string): string {
  const height = top + rows.length * pitch + 96;
  const death = rows.findIndex(({ kind }) => kind === 'death');
  const lane = (worker: number, title: string, from: number, to: number): string => {
    const x = (left.lanes[worker] ?? 0) + 75;
    return `<text class="ink head" x="${x}" y="${top - 28}" text-anchor="middle">${title}</text>
<path class="line" d="M${x} ${top + from * pitch - 14}V${top + to * pitch - 10}"/>`;
  };
  const lines = rows.map(({ at, worker, kind, text, remark }, index) => {
    const y = top + index * pitch;
    const x = left.lanes[worker] ?? 0;
    const box =
      kind === 'death'
        ? `<path class="mark" d="M${x + 66} ${y - 9}l18 18m0-18l-18 18"/><text class="mark-ink small" x="${x + 96}" y="${y + 5}">${text}</text>`
        : `<rect class="${kind}" x="${x}" y="${y - 14}" width="150" height="28" rx="5"/><text class="${kind}-ink" x="${x + 75}" y="${y + 5}" text-anchor="middle">${text}</text>`;
    return `<text class="muted small" x="${left.time + 56}" y="${y + 5}" text-anchor="end">${at} ms</text>${box}<text class="${kind === 'death' ? 'mark-ink' : 'muted'} small" x="${left.remark}" y="${y + 5}">${remark}</text>`;
  });
  const foot = top + rows.length * pitch;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 860 ${height}" width="860" height="${height}" role="img" aria-labelledby="t d">
<title id="t">A saga that is undone, though its worker is killed meanwhile</title>
<desc id="d">Worker one does the steps 1 to 4. The workflow fails. Worker one undoes step 4 and step 3, and is killed before it could say that it has undone step 3. Worker two is told to undo step 3, finds that it was undone, and undoes step 2 and step 1.</desc>
<style>
text{font-family:system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;font-size:14px}
.small{font-size:13px}.head{font-size:15px;font-weight:600}
.paper{fill:#ffffff}.ink{fill:#17212b}.muted{fill:#52606d}.line{stroke:#9aa7b4;stroke-width:1.5;fill:none}
.step{fill:#b9d9f5;stroke:#1f6fb5}.step-ink{fill:#0d3a63}
.undo{fill:#fff1cc;stroke:#a86400}.undo-ink{fill:#5e3900}
.lost{fill:#fff1cc;stroke:#a86400;stroke-dasharray:5 4}.lost-ink{fill:#5e3900}
.mark{stroke:#c8324a;stroke-width:3;fill:none}.mark-ink{fill:#9b1730}
@media (prefers-color-scheme: dark){
.paper{fill:#10161d}.ink{fill:#e8eef4}.muted{fill:#a3b1bf}.line{stroke:#6b7986}
.step{fill:#1d4f80;stroke:#6cb2f0}.step-ink{fill:#d6eafd}
.undo,.lost{fill:#463208;stroke:#e0a030}.undo-ink,.lost-ink{fill:#fbe6b8}
.mark{stroke:#ff7a8c}.mark-ink{fill:#ffb3bf}}
</style>
<rect class="paper" width="860" height="${height}"/>
<text class="ink head" x="30" y="34">A workflow of ${steps} steps, as it happened: every step once, every step undone once</text>
${lane(0, 'worker one', 0, death)}
${lane(1, 'worker two', death + 1, rows.length)}
${lines.join('\n')}
<text class="muted small" x="${left.time + 56}" y="${foot + 5}" text-anchor="end">${end} ms</text>
<text class="ink small" x="${left.lanes[0]}" y="${foot + 5}">${message.replaceAll('"', '&quot;')}</text>
<rect class="step" x="110" y="${foot + 36}" width="22" height="16" rx="3"/><text class="ink small" x="140" y="${foot + 49}">done</text>
<rect class="undo" x="200" y="${foot + 36}" width="22" height="16" rx="3"/><text class="ink small" x="230" y="${foot + 49}">undone</text>
<rect class="lost" x="306" y="${foot + 36}" width="22" height="16" rx="3"/><text class="ink small" x="336" y="${foot + 49}">an attempt of which the server never heard again</text>
</svg>
`;
}

const { bars, death, end, message } = await perform();
await writeFile(
  new URL('../../../docs/pictures/saga-undone.svg', import.meta.url),
  draw(rowsOf(bars, death), end, message),
);
