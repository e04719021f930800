// The state of the page's own two connections together: the pill in the header, and a notice while the server is gone.
const element = (id) => document.getElementById(id);
const interval = 250; // milliseconds; for the seconds that are counted down

/** @param links those that the page cannot be without */
export function showState(links) {
  const waiting = links.filter((link) => link.isWaiting);
  const state = links.every((link) => link.isOpen) ? 'connected' : waiting.length > 0 ? 'disconnected' : 'connecting';
  const pill = element('connection');
  // A new try may fail at once: until it is open, the server is still gone.
  const isGone = state === 'disconnected' || (state === 'connecting' && !element('gone').hidden);
  pill.dataset.state = isGone ? 'disconnected' : state;
  setText('state-text', isGone ? 'disconnected' : state);
  element('gone').hidden = !isGone;
  document.body.classList.toggle('stale', isGone);
  if (waiting.length > 0) {
    const left = Math.min(...waiting.map((link) => link.retryAt)) - performance.now();
    setText('retry-in', `Next try in ${Math.max(1, Math.ceil(left / 1000))} s.`);
  } else {
    setText('retry-in', 'Trying now.');
  }
}

/** Keeps the countdown going, and tries at once when the visitor asks, comes back, or is online again. */
export function watchState(links) {
  const retry = () => links.forEach((link) => link.retryNow());
  element('retry').addEventListener('click', retry);
  addEventListener('online', retry);
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) retry();
  });
  setInterval(() => showState(links), interval);
}

function setText(id, text) {
  if (element(id).textContent !== text) element(id).textContent = text;
}
