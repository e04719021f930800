// Numbers as the page writes them: few digits, a unit, and no jumping widths.
const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
const compact = new Intl.NumberFormat('en-US', { notation: 'compact', maximumSignificantDigits: 3 });
const units = ['B', 'kB', 'MB', 'GB', 'TB'];

/** 12,345; from ten million on 12.3M. */
export function count(value) {
  return value < 1e7 ? whole.format(value) : compact.format(value);
}

/** Three digits and a unit, in powers of 1,000. */
export function bytes(value) {
  let power = 0;
  while (value >= 999.5 && power < units.length - 1) {
    value /= 1000;
    power += 1;
  }
  return `${power === 0 ? whole.format(value) : digits(value)} ${units[power]}`;
}

/** 0.123, 1.23, 12.3, 123: without the unit. */
export function milliseconds(value) {
  return value < 0.9995 ? value.toFixed(3) : digits(value);
}

/** 12 s, 3 min, 2 h, 4 d. */
export function duration(ms) {
  const seconds = ms / 1000;
  if (seconds < 100) return `${Math.floor(seconds)} s`;
  if (seconds < 6000) return `${Math.floor(seconds / 60)} min`;
  return seconds < 36 * 3600 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86_400)} d`;
}

function digits(value) {
  return value < 9.995 ? value.toFixed(2) : value < 99.95 ? value.toFixed(1) : whole.format(value);
}
