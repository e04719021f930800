// What the server counts since it began, and what its process takes.
import * as format from './format.js';

const figures = {
  'connections-open': ({ totals }) => format.count(totals.connections),
  accepted: ({ totals }) => format.count(totals.accepted),
  refused: ({ totals }) => format.count(totals.refused),
  closed: ({ totals }) => format.count(totals.closed),
  'total-received': ({ totals }) => format.bytes(totals.bytesReceived),
  'total-sent': ({ totals }) => format.bytes(totals.bytesSent),
  waiting: ({ totals }) => format.bytes(totals.bufferedAmount),
  cpu: ({ program }) => `${(program.cpu * 100).toFixed(0)} %`,
  memory: ({ program }) => format.bytes(program.memory),
  uptime: ({ time }) => format.duration(time),
};
const notes = {
  'refused-note': ({ totals }) => listOf(totals.refusedByStatus),
  'closed-note': ({ totals }) => listOf(totals.closedByCode),
  'received-note': ({ totals }) => `${format.count(totals.messagesReceived)} messages`,
  'sent-note': ({ totals }) => `${format.count(totals.messagesSent)} messages`,
  'waiting-note': ({ totals }) => `${format.count(totals.slowConnections)} slow connections`,
  program: ({ program }) => `version ${program.version} · Node.js ${program.node} · ${program.system}`,
};

/** @param sample of /stats */
export function showTotals(sample) {
  for (const [id, textOf] of [...Object.entries(figures), ...Object.entries(notes)]) {
    const element = document.getElementById(id);
    const text = textOf(sample);
    if (element.textContent !== text) element.textContent = text;
  }
}

/** "12×1000, 3×1001": the most frequent two. */
function listOf(counts = {}) {
  return Object.entries(counts)
    .sort(([, a], [, b]) => b - a)
    .slice(0, 2)
    .map(([code, count]) => `${format.count(count)}×${code}`)
    .join(', ');
}
