import type { Participant } from '@quorate/coordination';
import { table } from '../table.ts';
import { type LineSeen, type LinesSeen, mostVisited } from './lines.ts';
import { printable } from './printable.ts';

/** How a report words what it shows. */
export interface Wording {
  readonly heading: string;
  readonly nobody: string;
  readonly state: (participant: Participant, ahead: number, line: LineSeen) => string;
  /** Columns beside those that all have. */
  readonly more?: readonly { readonly heading: string; readonly cell: (participant: Participant) => string }[];
}

/** For people: one line each, and what was left out. */
export function lineText(seen: LinesSeen, wording: Wording): string {
  const { more: columns = [] } = wording;
  const rows = seen.lines.flatMap((line) =>
    line.participants.map((participant, ahead) => [
      ahead === 0 ? printable(line.path) : '',
      wording.state(participant, ahead, line),
      printable(participant.id, 60) || '(no id)',
      String(participant.token),
      participant.since.toISOString(),
      sessionText(participant.session),
      ...columns.map(({ cell }) => printable(cell(participant), 60)),
    ]),
  );
  const headings = [
    wording.heading,
    'STATE',
    'ID',
    'TOKEN',
    'SINCE',
    'SESSION',
    ...columns.map(({ heading }) => heading),
  ];
  const text = rows.length > 0 ? table([headings, ...rows]) : `${wording.nobody} at or below ${seen.path}.`;
  return [text, ...omissions(seen)].join('\n');
}

function omissions({ lines, unread, complete }: LinesSeen): string[] {
  return [
    ...lines.flatMap(({ path, more }) => (more > 0 ? [`… ${more} more at ${printable(path)}`] : [])),
    ...lines.flatMap(({ error }) => (error === undefined ? [] : [`! ${printable(error, 300)}`])),
    ...(unread > 0 ? [`… ${unread} more paths; --limit shows more, or name a path further down`] : []),
    ...(complete ? [] : [`… looked at ${mostVisited} nodes only: name a path further down`]),
  ];
}

/** For programs. */
export function participantJson({ id, token, since, session, node }: Participant): object {
  return { id, token: String(token), since: since.toISOString(), session: sessionText(session), node };
}

/** What a report says of what it leaves out. */
export function omissionsJson({ unread, complete }: LinesSeen): object {
  return { complete: complete && unread === 0 };
}

export function sessionText(session: bigint): string {
  return `0x${BigInt.asUintN(64, session).toString(16)}`;
}
