// The plots of what the server receives and sends, from the differences of its totals.
import { Chart } from './chart.js';
import * as format from './format.js';
import { mirrored } from './scale.js';

const element = (id) => document.getElementById(id);

const plots = [
  { name: 'Messages', unit: (value) => `${format.count(value)}/s`, smallest: 10 },
  { name: 'Bytes', unit: (value) => `${format.bytes(value)}/s`, smallest: 1000 },
].map(({ name, unit, smallest }) => ({
  fields: [`${name.toLowerCase()}Received`, `${name.toLowerCase()}Sent`],
  figures: [element(`${name.toLowerCase()}-received`), element(`${name.toLowerCase()}-sent`)],
  unit,
  chart: new Chart(element(`${name.toLowerCase()}-chart`), {
    title: `${name} per second`,
    series: ['received', 'sent'],
    format: unit,
    scaleFor: (values) => mirrored(Math.max(smallest, ...values)),
    isMirrored: true,
  }),
}));

let last = null;

/** @param sample of /stats; null: the server is gone */
export function showThroughput(sample) {
  // A server that began anew counts from zero.
  const seconds = sample !== null && last !== null ? (sample.time - last.time) / 1000 : 0;
  for (const { fields, figures, unit, chart } of plots) {
    const rates = seconds > 0 ? fields.map((field) => (sample.totals[field] - last.totals[field]) / seconds) : null;
    chart.add(rates);
    figures.forEach((figure, i) => (figure.textContent = rates === null ? '–' : unit(rates[i])));
  }
  last = sample;
}
