// What this package has to reach, and whether it did.
import { streamBar } from './scenarios.mjs';
import { ratio } from './statistics.mjs';

/**
 * @param scenario an entry of scenarios.mjs
 * @param results summaries by subject
 * @returns a list of `{ what, value, atLeast, aim, hit }`; for memory `atMost` instead of `atLeast`
 */
export function barsOf(scenario, results) {
  const { ours, ws, 'ours-stream': stream, 'ours-borrow': borrow, 'ws-corked': corked } = results;
  const { whatwg, 'ours-onmessage': onmessage } = results;
  const { bars = {}, limits } = scenario;
  const list = [
    bar('native', ratio(ws, ours), bars.native, bars.aim),
    bar('native, against ws corked by hand', ratio(corked, ours), bars.corked, bars.corkedAim),
    bar('native, borrow', ratio(ws, borrow), bars.borrow, bars.borrowAim),
    bar('stream', ratio(ws, stream), bars.stream ?? streamBar),
    bar('whatwg, against the main class', ratio(onmessage, whatwg), bars.whatwg),
  ];
  if (limits) {
    list.push(limit('native, KiB', ours?.atFirst, limits.atFirst, limits.atFirstAim));
    list.push(limit('native, KiB, slope', ours?.slope, limits.slope, limits.slopeAim));
  }
  return list.filter((entry) => entry !== undefined);
}

function bar(what, value, atLeast, aim) {
  if (value === undefined || atLeast === undefined) return undefined;
  return { what, value, atLeast, aim, hit: value >= atLeast, reachesAim: aim !== undefined && value >= aim };
}

function limit(what, value, atMost, aim) {
  if (value === undefined) return undefined;
  return { what, value, atMost, aim, hit: value <= atMost, reachesAim: value <= aim };
}
