// The chart that README shows: a panel for each of some scenarios, in two columns; the dearest bar fills the width of its
// panel. Plain SVG that follows the reader's light or dark theme.
import { costOf, ratio } from './statistics.mjs';
import { number } from './table.mjs';

/** The scenarios in the order of reading, and what a reader has to know of them. */
const panels = {
  b: 'Echo of 64 B · 100 connections, 1 in flight',
  k: 'Echo of 1 KiB · 100 connections, 16 in flight',
  c: 'Echo of 20 B · 100 connections, 64 in flight',
  d: 'Echo of 64 KiB · 10 connections, 1 in flight',
  cs: 'Echo of 20 B of text, as strings · 100, 64 in flight',
  f: 'Broadcast of 1 KiB to 1,000 connections',
  h: 'Connect, upgrade, close',
  idle: 'Memory of an idle connection',
};
const labels = {
  ours: 'websocket-component',
  'ours-stream': 'on streams, as with TLS',
  ws: 'ws',
  'ws-bufferutil': 'ws with bufferutil',
  'ws-corked': 'ws, corked by hand',
};

const columnWidth = 436;
const columnGap = 24;
const left = 168; // of a column, where the bars begin
const right = 112; // room for the figures
const barHeight = 12;
const barStep = 18;
const headHeight = 26; // from a panel's title to its first bar
const panelGap = 24;
const top = 78;

const style = `
  text { font: 12px system-ui, -apple-system, 'Segoe UI', sans-serif; fill: #59636e; }
  .title { font-size: 17px; font-weight: 600; fill: #1f2328; }
  .panel { font-size: 13px; font-weight: 600; fill: #1f2328; }
  .strong { font-weight: 600; fill: #1f2328; }
  .bar { fill: #afb8c1; }
  .ours { fill: #0969da; }
  .ours-stream { fill: #54aeff; }
  @media (prefers-color-scheme: dark) {
    text { fill: #9198a1; }
    .title, .panel, .strong { fill: #e6edf3; }
    .bar { fill: #656c76; }
    .ours { fill: #4493f8; }
    .ours-stream { fill: #1f6feb; }
  }`;

/** @param results summaries by scenario and subject */
export function chart(results) {
  const measured = Object.keys(panels).filter((name) => results[name] !== undefined);
  const lines = [];
  let y = top;
  for (let i = 0; i < measured.length; i += 2) {
    const row = measured.slice(i, i + 2);
    const heights = row.map((name, column) => {
      const { svg, height } = panel(results[name], panels[name], name === 'idle' ? 'KiB' : 'µs');
      lines.push(`<g transform="translate(${column * (columnWidth + columnGap)} ${y})">`, ...svg, '</g>');
      return height;
    });
    y += Math.max(...heights) + panelGap;
  }
  const width = 2 * columnWidth + columnGap;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${y}" width="${width}" height="${y}" role="img"`,
    '  aria-label="Server processor time of a message and memory of an idle connection: websocket-component and ws">',
    `<style>${style}\n</style>`,
    text(0, 20, 'Server processor time of a message, and memory of an idle connection', 'title'),
    text(0, 42, 'Shorter is better. ×: how many times less than ws.'),
    ...lines,
    '</svg>',
    '',
  ].join('\n');
}

/** @returns {{ svg: string[], height: number }} with its title's baseline at 0 */
function panel(bySubject, title, unit) {
  const names = Object.keys(labels).filter((name) => bySubject[name] !== undefined);
  const longest = Math.max(...names.map((name) => costOf(bySubject[name])));
  const bars = names.flatMap((name, index) =>
    bar(headHeight - barHeight + index * barStep, name, bySubject, longest, unit),
  );
  return { svg: [text(0, 0, title, 'panel'), ...bars], height: headHeight + names.length * barStep };
}

function bar(y, name, bySubject, longest, unit) {
  const cost = costOf(bySubject[name]);
  const length = Math.max(1, (cost / longest) * (columnWidth - left - right));
  const times = name === 'ws' ? undefined : ratio(bySubject.ws, bySubject[name]);
  const figure = `${number(cost)} ${unit}${times === undefined ? '' : ` · ${times < 10 ? times.toFixed(1) : Math.round(times)} ×`}`;
  const style = name === 'ours' ? 'strong' : undefined;
  return [
    text(left - 10, y + 10, labels[name], style, 'end'),
    `<rect class="bar ${name}" x="${left}" y="${y}" width="${length.toFixed(1)}" height="${barHeight}" rx="2"/>`,
    text(left + length + 8, y + 10, figure, style),
  ];
}

function text(x, y, content, style, anchor) {
  const escaped = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  const attributes = [style && ` class="${style}"`, anchor && ` text-anchor="${anchor}"`].filter(Boolean).join('');
  return `<text x="${x.toFixed(1)}" y="${y}"${attributes}>${escaped}</text>`;
}
