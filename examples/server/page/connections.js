// The table of connections. Rows stay the same elements while they live, so that only what changed is drawn, and a
// selection or the place of a scroll bar survives.
import * as format from './format.js';

const element = (id) => document.getElementById(id);
const orders = {
  address: (row) => row.id,
  age: (row) => row.age,
  received: (row) => row.bytesReceived,
  sent: (row) => row.bytesSent,
  ping: (row) => row.ping ?? -1,
};

const rows = new Map(); // by id: { row, cells }
let order = 'age';
let isDescending = true;
let latest = [];

for (const button of document.querySelectorAll('#connections th button')) {
  button.addEventListener('click', () => {
    isDescending = button.dataset.order === order ? !isDescending : true;
    order = button.dataset.order;
    arrange();
  });
}

/** @param sample of /stats; null: the server is gone, and nothing is known */
export function showConnections(sample) {
  latest = sample?.connections ?? [];
  const known = new Set(latest.map(({ id }) => id));
  for (const [id, { row }] of rows) {
    if (known.has(id)) continue;
    row.remove();
    rows.delete(id);
  }
  for (const connection of latest) {
    if (!rows.has(connection.id)) rows.set(connection.id, makeRow(connection));
    fill(rows.get(connection.id).cells, connection);
  }
  arrange();
  const count = latest.length + (sample?.unlisted ?? 0);
  const noun = count === 1 ? 'connection' : 'connections';
  setText(element('count'), sample === null ? '' : `${format.count(count)} ${noun}`);
  setText(element('unlisted'), sample?.unlisted ? `The oldest ${format.count(latest.length)} are listed.` : '');
  element('no-connections').hidden = latest.length > 0;
}

/** Puts the rows in order; those that are at their place stay untouched. */
function arrange() {
  const sorted = latest.toSorted((a, b) => (orders[order](b) - orders[order](a)) * (isDescending ? 1 : -1));
  const body = element('rows');
  sorted.forEach(({ id }, i) => {
    const { row } = rows.get(id);
    if (body.children[i] !== row) body.insertBefore(row, body.children[i] ?? null);
  });
  for (const button of document.querySelectorAll('#connections th button')) {
    const direction = button.dataset.order !== order ? 'none' : isDescending ? 'descending' : 'ascending';
    button.closest('th').setAttribute('aria-sort', direction);
  }
}

function makeRow({ path, address, transport }) {
  const row = document.createElement('tr');
  const name = document.createElement('th');
  name.scope = 'row';
  const badge = make('span', 'badge', path);
  badge.dataset.path = path;
  const shortAge = make('span', 'short-age', '');
  name.append(make('span', 'address', address), badge, make('span', 'transport', transport), shortAge);
  const cells = { shortAge };
  row.append(name);
  for (const column of ['age', 'received', 'sent', 'ping']) {
    const cell = document.createElement('td');
    cell.className = column;
    cells[column] = make('span', 'value', '');
    cell.append(cells[column]);
    if (column === 'received' || column === 'sent') {
      cells[`${column}Messages`] = make('span', 'messages', '');
      cell.append(cells[`${column}Messages`]);
    }
    row.append(cell);
  }
  return { row, cells };
}

function fill(cells, { age, bytesReceived, bytesSent, messagesReceived, messagesSent, ping }) {
  setText(cells.age, format.duration(age));
  setText(cells.shortAge, format.duration(age));
  setText(cells.received, format.bytes(bytesReceived));
  setText(cells.sent, format.bytes(bytesSent));
  setText(cells.receivedMessages, `${format.count(messagesReceived)} msg`);
  setText(cells.sentMessages, `${format.count(messagesSent)} msg`);
  setText(cells.ping, ping === undefined ? '–' : `${format.milliseconds(ping)} ms`);
}

function make(name, className, text) {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}

function setText(target, text) {
  if (target.textContent !== text) target.textContent = text;
}
