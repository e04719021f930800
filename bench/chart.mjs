// The chart that README shows: a group of bars for each of some scenarios; the dearest subject's bar fills the width.
// Plain SVG that follows the reader's light or dark theme.
import { costOf, ratio } from './statistics.mjs';
import { number } from './table.mjs';

const shownScenarios = ['b', 'c', 'cs', 'k', 'd', 'f', 'h', 'idle'];
const shownSubjects = ['ws', 'ws-bufferutil', 'ws-corked', 'ours-stream', 'ours'];
const width = 860;
const left = 300; // where the bars begin
const right = 170; // room for the figures
const barHeight = 16;
const barStep = 20;
const groupGap = 18;
const headHeight = 22;
const top = 72;

const style = `
  text { font: 13px system-ui, sans-serif; fill: #1f2328; }
  .title { font-size: 16px; font-weight: 600; }
  .group { font-weight: 600; }
  .quiet { fill: #59636e; }
  .bar { fill: #afb8c1; }
  .ours { fill: #0969da; }
  .ours-stream { fill: #54aeff; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .quiet { fill: #9198a1; }
    .bar { fill: #6e7681; }
    .ours { fill: #4493f8; }
    .ours-stream { fill: #1f6feb; }
  }`;

/** @param results summaries by scenario and subject */
export function chart(results, scenarios, subjects) {
  const lines = [];
  let y = top;
  for (const name of shownScenarios) {
    const bySubject = results[name] ?? {};
    const names = shownSubjects.filter((subject) => bySubject[subject]);
    if (names.length === 0) continue;
    const scenario = scenarios[name];
    lines.push(text(0, y, scenario.title, 'group'));
    y += headHeight - 10;
    const longest = Math.max(...names.map((subject) => costOf(bySubject[subject])));
    for (const subject of names) {
      lines.push(
        ...bar(y, subjects[subject].title, subject, bySubject, longest, scenario.mode === 'idle' ? 'KiB' : 'µs'),
      );
      y += barStep;
    }
    y += groupGap + 8;
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${y}" width="${width}" height="${y}" role="img"`,
    '  aria-label="Server processor time of a message and memory of an idle connection: websocket-component and ws">',
    `<style>${style}\n</style>`,
    text(0, 18, 'Server processor time of a message, and memory of an idle connection', 'title'),
    text(0, 38, 'Shorter is better. ×: how many times less than ws.', 'quiet'),
    ...lines,
    '</svg>',
    '',
  ].join('\n');
}

function bar(y, title, name, bySubject, longest, unit) {
  const cost = costOf(bySubject[name]);
  const length = Math.max(1, (cost / longest) * (width - left - right));
  const times = name === 'ws' ? undefined : ratio(bySubject.ws, bySubject[name]);
  const figure = `${number(cost)} ${unit}${times === undefined ? '' : ` · ${times < 10 ? times.toFixed(1) : Math.round(times)} ×`}`;
  return [
    text(left - 10, y + 12, title, 'quiet', 'end'),
    `<rect class="bar ${name}" x="${left}" y="${y}" width="${length.toFixed(1)}" height="${barHeight}" rx="2"/>`,
    text(left + length + 8, y + 12, figure),
  ];
}

function text(x, y, content, style, anchor) {
  const escaped = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  const attributes = [style && ` class="${style}"`, anchor && ` text-anchor="${anchor}"`].filter(Boolean).join('');
  return `<text x="${x.toFixed(1)}" y="${y}"${attributes}>${escaped}</text>`;
}
