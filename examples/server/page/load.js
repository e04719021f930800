// The controls of the load, what they achieve, and the plot of round trips.
import { Chart } from './chart.js';
import * as format from './format.js';
import { logarithmic } from './scale.js';

const finest = 0.001; // milliseconds; a coarse clock of a browser may say 0, which has no logarithm

const element = (id) => document.getElementById(id);

/** Runs the load as the form says. It runs from the start. */
export function startLoad() {
  const form = element('load');
  const chart = new Chart(element('latency-chart'), {
    title: 'Round trip',
    series: ['p50', 'p99'],
    format: (value) => `${format.milliseconds(value)} ms`,
    scaleFor: (values) =>
      values.length === 0 ? logarithmic(0.1, 10) : logarithmic(Math.min(...values), Math.max(...values)),
  });
  const worker = new Worker('/load-worker.js', { type: 'module' });
  let isRunning = true;
  let total = 0;

  const apply = () => {
    const { rate, size, connections } = form.elements;
    worker.postMessage({
      isRunning,
      rate: Number(rate.value),
      size: Number(size.value),
      connections: Number(connections.value),
    });
    element('load-button').textContent = isRunning ? 'Stop' : 'Start';
  };
  form.addEventListener('change', apply);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    isRunning = !isRunning;
    apply();
  });
  apply();

  worker.onmessage = ({ data }) => {
    const { open, connections, seconds, echoed, p50, p99 } = data;
    const isMeasured = p50 !== null;
    chart.add(isMeasured ? [Math.max(p50, finest), Math.max(p99, finest)] : null);
    element('p50').textContent = isMeasured ? `${format.milliseconds(p50)} ms` : '–';
    element('p99').textContent = isMeasured ? `${format.milliseconds(p99)} ms` : '–';
    total += echoed;
    element('open').textContent = `${open} of ${isRunning ? connections : 0}`;
    element('echo-rate').textContent = `${format.count(echoed / seconds)}/s`;
    element('total').textContent = format.count(total);
  };
}
