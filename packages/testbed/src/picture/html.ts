import type { History } from '../history/history.ts';
import type { Verdict } from '../verdict/verdict.ts';
import { lamportSvg, type PictureOptions } from './svg.ts';
import { pageColours } from './theme.ts';
import { escaped } from './xml.ts';

/** The diagram as a page that needs nothing else: no script, no font, no network. The evidence stands below it as a table. */
export function lamportHtml(history: History, options: PictureOptions = {}): string {
  const { title = 'What happened, process by process', verdict, theme = 'auto' } = options;
  const { light, dark } = pageColours();
  const colours = (colour: typeof light): string =>
    `body{background:${colour.paper};color:${colour.ink}}th,td{border-color:${colour.rule}}th,.muted{color:${colour.muted}}`;
  const sheet =
    theme === 'auto'
      ? `${colours(light)}@media (prefers-color-scheme: dark){${colours(dark)}}`
      : colours(theme === 'dark' ? dark : light);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="${theme === 'auto' ? 'light dark' : theme}">
<title>${escaped(title)}</title>
<style>
body{margin:0;font:16px/1.5 Inter,"Segoe UI",Roboto,"Helvetica Neue",Arial,"DejaVu Sans",sans-serif}
main{padding:16px}
.picture{overflow-x:auto}
.picture svg{display:block;min-width:900px;max-width:none;height:auto}
section{max-width:70rem;margin:24px}
table{border-collapse:collapse;font-size:15px}
th,td{border-bottom:1px solid;padding:6px 16px 6px 0;text-align:left;vertical-align:top}
td.time{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
${sheet}
</style>
</head>
<body>
<main>
<div class="picture" tabindex="0" role="region" aria-label="Diagram; scrolls sideways">
${lamportSvg(history, options)}</div>
${verdict === undefined ? '' : verdictSection(verdict)}</main>
</body>
</html>
`;
}

function verdictSection({ check, result, summary, evidence }: Verdict): string {
  const head = `<h2>${escaped(`${check}: ${result}`)}</h2>\n<p>${escaped(summary)}</p>`;
  if (evidence === undefined) return `<section>\n${head}\n</section>\n`;
  const rows = evidence.lines.map(({ from, to, process, what }) => {
    const ended = to === undefined ? 'never ended' : `${to.toFixed(2)} ms`;
    return `<tr><td class="time">${from.toFixed(2)} ms</td><td class="time">${ended}</td><td>${escaped(process)}</td><td>${escaped(what)}</td></tr>`;
  });
  return `<section>
${head}
<p>${escaped(evidence.why)}</p>
<table>
<thead><tr><th scope="col">from</th><th scope="col">to</th><th scope="col">process</th><th scope="col">what</th></tr></thead>
<tbody>
${rows.join('\n')}
</tbody>
</table>
</section>
`;
}
