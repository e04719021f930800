// Another checkout of this package, measured in turn with this one: is it slower now, by more than the noise?
import { existsSync } from 'node:fs';
import path from 'node:path';
import { costOf, median } from './statistics.mjs';

const compared = ['ours', 'ours-borrow', 'ours-stream'];
const nameOf = (name) => name.replace('ours', 'before');

/** @returns the subjects, and behind each of this package the same one of the checkout in `folder`, with its own programs */
export function withBefore(subjects, folder) {
  const inFolder = (file) => file && path.resolve(folder, 'bench/subjects', file);
  return Object.fromEntries(
    Object.entries(subjects).flatMap(([name, subject]) => {
      if (!compared.includes(name)) return [[name, subject]];
      const [server, client] = [inFolder(subject.server), inFolder(subject.client)];
      const missing = () => (existsSync(server) ? undefined : `there is no ${server}`);
      const earlier = { ...subject, server, client, missing, title: `${subject.title}, before` };
      return [
        [name, subject],
        [nameOf(name), earlier],
      ];
    }),
  );
}

/**
 * Compares what was measured in the same round: a slow minute of the machine meets both.
 * @param measured figures of every round by subject, of one scenario
 * @returns a list of `{ name, ratio, noise, verdict }`: the median of "before ÷ now", and half of its range
 */
export function compareWithBefore(measured) {
  return compared
    .filter((name) => measured[name] && measured[nameOf(name)])
    .map((name) => {
      const before = measured[nameOf(name)];
      const rounds = measured[name].slice(0, before.length);
      const ratios = rounds.map((figures, round) => costOf(before[round]) / costOf(figures));
      const ratio = median(ratios);
      const noise = (Math.max(...ratios) - Math.min(...ratios)) / 2;
      return { name, ratio, noise, verdict: verdictOf(ratio, noise) };
    });
}

function verdictOf(ratio, noise) {
  if (ratio < 1 - noise) return 'SLOWER';
  return ratio > 1 + noise ? 'faster' : 'as before';
}
