// The page: one connection to /stats for what is shown, one to /chat, and the connections of the load.
import { joinChat } from './chat.js';
import { showConnections } from './connections.js';
import { Link } from './link.js';
import { startLoad } from './load.js';
import { showState, watchState } from './state.js';
import { showThroughput } from './throughput.js';
import { showTotals } from './totals.js';

const onChange = () => showState(links);

function show(sample) {
  showThroughput(sample);
  showConnections(sample);
  if (sample !== null) showTotals(sample);
}

const stats = new Link('/stats', {
  message: (text) => show(JSON.parse(text)),
  close: () => show(null),
  change: onChange,
});
const links = [stats, joinChat(onChange)];
watchState(links);
startLoad();
