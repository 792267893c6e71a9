/** One line for each kind of fault, with what it is done to. */
const server: Readonly<Record<string, string>> = {
  kill: 'SIGKILL: it ends at once and keeps its data; restart brings it back',
  pause: 'SIGSTOP: it stands still, its connections stay open',
  slow: 'it runs 30 % of the time, as on a busy machine',
  'full-disk': 'its writes fail with ENOSPC (needs quorate up --disk)',
  isolate: 'cut off from the other servers of its kind; clients still reach it',
  resume: 'ends pause and slow',
  restart: 'stops it if it runs and starts it again, with the same data and ports',
};

const link: Readonly<Record<string, string>> = {
  latency: 'bytes arrive 50 to 150 ms later, each way',
  narrow: '2000 bytes per second, each way',
  'black-hole': 'nothing arrives on either side; connections stay open',
  deaf: 'what the second party sends does not arrive at the first',
  mute: 'what the first party sends does not arrive at the second',
  'half-open': 'open connections are reset for the second party; the first does not notice',
  cut: 'each connection breaks after 1000 bytes from the second party',
  reset: 'open and new connections are reset',
  link: 'sets what you want with --set; without --set it prints where the first party connects',
};

const all: Readonly<Record<string, string>> = {
  partition: 'nothing arrives from one side on the other',
  heal: 'ends every fault, or those of one server or link; killed servers stay killed',
};

export const faultHelp: string = [
  section('Faults of a server, <target> (zookeeper-leader is the member that leads):', server),
  section('Faults of a link, <first~second>: client-a~redis-1, zookeeper-1~zookeeper-2', link),
  section('Of several:', all),
].join('\n');

function section(heading: string, lines: Readonly<Record<string, string>>): string {
  return [heading, ...Object.entries(lines).map(([kind, text]) => `  ${kind.padEnd(11)} ${text}`), ''].join('\n');
}
