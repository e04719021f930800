// From measured rounds to one figure each.

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The median of each figure over the rounds, with the least and the greatest of the judge. */
export function summarise(rounds) {
  const summary = {};
  for (const name of Object.keys(rounds[0])) summary[name] = median(rounds.map((round) => round[name]));
  const judge = rounds.map(costOf);
  return { ...summary, least: Math.min(...judge), greatest: Math.max(...judge), rounds: rounds.length };
}

/** The judge: CPU time of a message, or memory of an idle connection. */
export function costOf(figures) {
  return figures.cpu ?? figures.atFirst;
}

/** How many times cheaper `figures` is than `base`. */
export function ratio(base, figures) {
  return base && figures ? costOf(base) / costOf(figures) : undefined;
}
