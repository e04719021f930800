// A plot of two series over the last minute, as SVG: axes with units, gaps where nothing was measured, and a cursor that
// tells the values under the pointer or, with the arrow keys, of one sample after the other. Colours are in chart.css.
import { pathsOf } from './scale.js';

const span = 60_000; // milliseconds in sight
const interval = 500; // milliseconds between two samples, about
const margin = { left: 66, right: 10, top: 8, bottom: 24 };
const marks = [60, 30, 0]; // seconds ago

export class Chart {
  #options;
  #container;
  #svg;
  #grid = make('g', { class: 'grid' });
  #areas;
  #lines;
  #cursor = make('g', { class: 'cursor', visibility: 'hidden' });
  #tip;
  #empty;
  #samples = []; // { at, values }, the oldest first; values are null in a gap
  #width = 0;
  #height = 0;
  #scale;
  #drawnAt = 0;
  /** The sample that the keyboard has chosen, or where the pointer is. */
  #chosen = null;
  #pointerX = null;

  /**
   * @param container with one element of the class "empty", which is seen while there is nothing to plot; what
   *   the cursor tells stands in its parent
   * @param options title; series: two names; format(value) with the unit; scaleFor(values): the Scale for what is in
   *   sight; isMirrored: the second series goes down
   */
  constructor(container, options) {
    this.#container = container;
    this.#options = options;
    this.#empty = container.querySelector('.empty');
    this.#svg = make('svg', { role: 'img', class: 'plot-area' });
    this.#areas = options.series.map((_, i) => make('path', { class: `area series-${i}` }));
    this.#lines = options.series.map((_, i) => make('path', { class: `line series-${i}` }));
    this.#cursor.append(
      make('line', {}),
      ...options.series.map((_, i) => make('circle', { r: 4, class: `series-${i}` })),
    );
    this.#svg.append(this.#grid, ...this.#areas.toReversed(), ...this.#lines.toReversed(), this.#cursor);
    this.#tip = document.createElement('p');
    this.#tip.className = 'tip';
    this.#tip.setAttribute('aria-live', 'polite');
    container.append(this.#svg);
    container.parentElement.append(this.#tip);
    this.#listen();
    new ResizeObserver(() => this.#resize()).observe(container);
    setInterval(() => {
      if (performance.now() - this.#drawnAt > interval) this.#draw(); // it moves on although nothing comes
    }, interval);
  }

  /** Appends a sample of now: two numbers, or null where nothing was measured. */
  add(values) {
    const now = performance.now();
    this.#samples.push({ at: now, values });
    while (this.#samples[0].at < now - span) this.#samples.shift();
    this.#draw();
  }

  #listen() {
    this.#container.addEventListener('pointermove', (event) => {
      this.#chosen = null;
      this.#pointerX = event.clientX - this.#container.getBoundingClientRect().left;
      this.#drawCursor();
    });
    const hide = () => {
      this.#chosen = null;
      this.#pointerX = null;
      this.#drawCursor();
    };
    this.#container.addEventListener('pointerleave', hide);
    this.#container.addEventListener('blur', hide);
    this.#container.addEventListener('keydown', (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (event.key === 'Escape') hide();
      if (step === undefined) return;
      event.preventDefault();
      const measured = this.#samples.filter(({ values }) => values !== null);
      const at = this.#chosen === null ? measured.length - (step < 0 ? 0 : 1) : measured.indexOf(this.#chosen);
      this.#chosen = measured[Math.min(Math.max(at + step, 0), measured.length - 1)] ?? null;
      this.#drawCursor();
    });
  }

  #resize() {
    const { clientWidth, clientHeight } = this.#container;
    if (clientWidth === this.#width && clientHeight === this.#height) return;
    this.#width = clientWidth;
    this.#height = clientHeight;
    this.#scale = undefined;
    this.#svg.setAttribute('viewBox', `0 0 ${this.#width} ${this.#height}`);
    this.#draw();
  }

  #draw() {
    if (this.#width === 0 || document.hidden) return;
    this.#drawnAt = performance.now();
    const { series, scaleFor } = this.#options;
    const inSight = this.#samples.filter(({ at }) => at >= this.#drawnAt - span);
    const recent = inSight.filter(({ values }) => values !== null);
    this.#rescale(scaleFor(recent.flatMap(({ values }) => values)));
    series.forEach((_, i) => {
      const base = this.#yOfShare(this.#scale.base);
      const paths = pathsOf(inSight, (sample) => [this.#x(sample.at), this.#y(sample, i)], base);
      this.#lines[i].setAttribute('d', paths.line);
      this.#areas[i].setAttribute('d', paths.area);
    });
    this.#empty.hidden = recent.length > 0;
    this.#svg.setAttribute('aria-label', this.#summary(recent));
    this.#drawCursor();
  }

  /** Draws the axes, unless they are as before. */
  #rescale(scale) {
    if (scale.ticks.join() === this.#scale?.ticks.join()) return;
    this.#scale = scale;
    const right = this.#width - margin.right;
    const rows = scale.ticks.flatMap((tick) => {
      const share = scale.shareOf(tick);
      const y = this.#yOfShare(share);
      const name = withoutZeros(this.#options.format(Math.abs(tick)));
      const text = label(name, { x: margin.left - 10, y: y + 4, 'text-anchor': 'end' });
      return [
        make('line', { x1: margin.left, x2: right, y1: y, y2: y, class: share === scale.base ? 'base' : '' }),
        text,
      ];
    });
    const columns = marks.map((seconds) => {
      const x = right - (seconds / 60) * (right - margin.left);
      const anchor = seconds === 0 ? 'end' : seconds === 60 ? 'start' : 'middle';
      const text = seconds === 0 ? 'now' : `${seconds} s ago`;
      return label(text, { x, y: this.#height - 4, 'text-anchor': anchor });
    });
    this.#grid.replaceChildren(...rows, ...columns);
  }

  #drawCursor() {
    const sample = this.#chosen ?? this.#atPointer();
    if (sample === undefined || sample.at < performance.now() - span) {
      this.#cursor.setAttribute('visibility', 'hidden');
      this.#tip.hidden = true;
      return;
    }
    const { series, format } = this.#options;
    const x = this.#x(sample.at);
    const [line, ...dots] = this.#cursor.children;
    set(line, { x1: x, x2: x, y1: margin.top, y2: this.#height - margin.bottom });
    dots.forEach((dot, i) => set(dot, { cx: x, cy: this.#y(sample, i) }));
    this.#cursor.setAttribute('visibility', 'visible');
    const time = new Date(Date.now() - (performance.now() - sample.at)).toLocaleTimeString('en-GB');
    const values = series.map((name, i) => `${name} ${format(sample.values[i])}`);
    const text = [time, ...values].join(' · ');
    if (this.#tip.textContent !== text) this.#tip.textContent = text;
    this.#tip.hidden = false;
  }

  /** The measured sample that is nearest to the pointer. */
  #atPointer() {
    if (this.#pointerX === null) return undefined;
    const distance = ({ at }) => Math.abs(this.#x(at) - this.#pointerX);
    return this.#samples
      .filter(({ values }) => values !== null)
      .reduce((best, sample) => (best !== undefined && distance(best) <= distance(sample) ? best : sample), undefined);
  }

  #summary(recent) {
    const { title, series, format } = this.#options;
    if (recent.length === 0) return `${title}: nothing was measured in the last minute.`;
    const parts = series.map((name, i) => {
      const highest = Math.max(...recent.map(({ values }) => values[i]));
      return `${name} ${format(recent.at(-1).values[i])}, highest ${format(highest)}`;
    });
    return `${title}, last minute: ${parts.join('; ')}.`;
  }

  #x(at) {
    const right = this.#width - margin.right;
    return right - ((this.#drawnAt - at) / span) * (right - margin.left);
  }

  #y({ values }, series) {
    const isDown = this.#options.isMirrored && series === 1;
    return this.#yOfShare(this.#scale.shareOf(isDown ? -values[series] : values[series]));
  }

  #yOfShare(share) {
    return margin.top + (this.#height - margin.top - margin.bottom) * (1 - share);
  }
}

/** 1 MB in place of 1.00 MB. */
function withoutZeros(text) {
  return text.replace(/\.(\d*?)0+(?!\d)/, (_, digits) => (digits === '' ? '' : `.${digits}`));
}

function make(name, attributes) {
  return set(document.createElementNS('http://www.w3.org/2000/svg', name), attributes);
}

function label(text, attributes) {
  const element = make('text', attributes);
  element.textContent = text;
  return element;
}

function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}
