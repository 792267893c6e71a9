const light = {
  paper: '#ffffff',
  stripe: '#f5f7fa',
  ink: '#17212b',
  muted: '#52606d',
  rule: '#d5dce3',
  line: '#9aa7b4',
  ok: '#dcecfb',
  okEdge: '#1f6fb5',
  okInk: '#0d3a63',
  failed: '#eceff2',
  failedEdge: '#77838f',
  failedInk: '#47525d',
  unsure: '#fff1cc',
  unsureEdge: '#a86400',
  unsureInk: '#5e3900',
  fault: '#c8324a',
  faultInk: '#9b1730',
  wrong: '#d21f3c',
  lease0: '#1c7f56',
  lease1: '#7446b8',
  lease2: '#0e7c8c',
  lease3: '#96591a',
  onLease: '#ffffff',
};

const dark: typeof light = {
  paper: '#10161d',
  stripe: '#161e27',
  ink: '#e8eef4',
  muted: '#a3b1bf',
  rule: '#2b3743',
  line: '#6b7986',
  ok: '#12365a',
  okEdge: '#6cb2f0',
  okInk: '#d6eafd',
  failed: '#27313b',
  failedEdge: '#8d9aa7',
  failedInk: '#c6d0d9',
  unsure: '#463208',
  unsureEdge: '#f0b23e',
  unsureInk: '#ffe6ae',
  fault: '#ff6b81',
  faultInk: '#ff9dac',
  wrong: '#ff5c74',
  lease0: '#4cc38f',
  lease1: '#b794f0',
  lease2: '#48c2d4',
  lease3: '#e0a35c',
  onLease: '#0c1218',
};

export type Theme = 'auto' | 'light' | 'dark';

export const leaseColours = 4;

/** The style sheet of a picture. `auto` follows the reader's setting, and is light where nobody asks. */
export function styleSheet(theme: Theme): string {
  if (theme === 'light') return rules(light) + shapes;
  if (theme === 'dark') return rules(dark) + shapes;
  return `${rules(light)}@media (prefers-color-scheme: dark) {${rules(dark)}}${shapes}`;
}

// Plain classes, no custom properties: programs that turn SVG into slides and PDF often know nothing else.
function rules(colour: typeof light): string {
  const leases = [colour.lease0, colour.lease1, colour.lease2, colour.lease3];
  return `
.paper{fill:${colour.paper}}.stripe{fill:${colour.stripe}}
.ink{fill:${colour.ink}}.muted{fill:${colour.muted}}
.rule{stroke:${colour.rule}}.line{stroke:${colour.line}}
.ok{fill:${colour.ok};stroke:${colour.okEdge}}.ok-ink{fill:${colour.okInk}}.ok-mark{stroke:${colour.okEdge}}
.failed{fill:${colour.failed};stroke:${colour.failedEdge}}.failed-ink{fill:${colour.failedInk}}.failed-mark{stroke:${colour.failedEdge}}
.unsure{fill:${colour.unsure};stroke:${colour.unsureEdge}}.unsure-ink{fill:${colour.unsureInk}}.unsure-mark{stroke:${colour.unsureEdge}}
.fault{fill:${colour.fault}}.fault-edge{stroke:${colour.fault}}.fault-ink{fill:${colour.faultInk}}
.wrong{stroke:${colour.wrong}}.wrong-ink{fill:${colour.wrong}}
.badge-invalid{fill:${colour.wrong}}.badge-valid{fill:${colour.lease0}}.badge-unknown{fill:${colour.unsureEdge}}
.message{stroke:${colour.muted}}.message-head{fill:${colour.muted}}.halo{stroke:${colour.paper}}
${leases.map((lease, index) => `.lease-${index}{fill:${lease}}`).join('')}.on-lease{fill:${colour.onLease}}
`;
}

const shapes = `
text{font-family:Inter,"Segoe UI",Roboto,"Helvetica Neue",Arial,"DejaVu Sans",sans-serif;font-size:13px}
.title{font-size:20px;font-weight:600}.name{font-size:14px;font-weight:600}.small{font-size:12px}
.rule,.line,.message,.wrong,.fault-edge,.ok-mark,.failed-mark,.unsure-mark{fill:none}
.line{stroke-width:2}.message{stroke-width:1.5}.wrong{stroke-width:3}
.ok-mark,.failed-mark,.unsure-mark{stroke-width:2;stroke-linecap:round;stroke-linejoin:round}
.halo{paint-order:stroke;stroke-width:4px;stroke-linejoin:round}
`;

/** What a page around the picture needs to match it. */
export function pageColours(): { readonly light: typeof light; readonly dark: typeof light } {
  return { light, dark };
}
