// Rows of the table in docs/conformance.md of what another implementation does differently.

/**
 * @param {'server' | 'client'} role of the peer under test
 * @param {object[]} results
 * @returns {string[]} a row for each kind of difference and family: role, family, kind, count and the ids when they are few
 */
export function describeDifferences(role, results) {
  const rows = new Map();
  for (const { id, family, verdict, differences } of results) {
    if (verdict === 'passed') continue;
    const kind = verdict === 'lenient' ? differences.map((text) => text.split(':')[0]).join(', ') : 'failed';
    const key = `| ${role} | ${family} | ${kind}`;
    rows.set(key, [...(rows.get(key) ?? []), id]);
  }
  return [...rows].map(([key, ids]) => `${key} | ${ids.length} | ${ids.length > 8 ? '' : `${ids.join(', ')} `}|`);
}
