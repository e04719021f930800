// The arithmetic of the plots: axes, and the paths of a series with gaps.

/**
 * An axis: `shareOf` gives the height of a value from 0, the bottom, to 1, and `base` is the height of nothing.
 * @typedef {{ ticks: number[], base: number, shareOf: (value: number) => number }} Scale
 */

/** From minus to plus the same round number, for one series that goes up and one that goes down. @returns {Scale} */
export function mirrored(highest) {
  const power = 10 ** Math.floor(Math.log10(highest));
  const top = [1, 2, 4, 6, 8, 10].find((step) => step * power >= highest * 0.999) * power;
  return {
    ticks: [top, top / 2, 0, -top / 2, -top],
    base: 0.5,
    shareOf: (value) => (1 + value / top) / 2,
  };
}

/** Whole powers of ten, so that what is usual and what is rare are both seen. @returns {Scale} */
export function logarithmic(lowest, highest) {
  const first = Math.floor(Math.log10(lowest) + 1e-9);
  const last = Math.max(first + 1, Math.ceil(Math.log10(highest) - 1e-9));
  const powers = Array.from({ length: last - first }, (_, i) => 10 ** (first + i));
  const steps = powers.length <= 2 ? [1, 2, 5] : [1];
  return {
    ticks: [...powers.flatMap((power) => steps.map((step) => step * power)), 10 ** last],
    base: 0,
    shareOf: (value) => Math.max(0, (Math.log10(value) - first) / (last - first)),
  };
}

/**
 * SVG paths of the samples that have values: a line, and the area between it and `base`.
 * @param pointOf gives the place of a sample as [x, y]
 */
export function pathsOf(samples, pointOf, base) {
  const runs = [];
  let run = null;
  for (const sample of samples) {
    if (sample.values === null) run = null;
    else if (run === null) runs.push((run = [sample]));
    else run.push(sample);
  }
  let line = '';
  let area = '';
  for (const part of runs) {
    const points = part.map((sample) => pointOf(sample).map((number) => number.toFixed(1)));
    const path = points.map((point) => point.join(' ')).join('L');
    line += `M${path}`;
    area += `M${points[0][0]} ${base.toFixed(1)}L${path}L${points.at(-1)[0]} ${base.toFixed(1)}Z`;
  }
  return { line, area };
}
