// The example page: keeps one connection to /echo and one to /chat, measures the first and talks over the second.
const historyLength = 120; // points of a chart: one minute, two points each second
const sampleInterval = 500; // milliseconds
const probeBytes = 64;
const maxInFlight = 100; // probes that wait for their echo; with more, the browser's own queue would be measured
const maxMessages = 200; // chat lines kept on the page
const firstRetryDelay = 500; // milliseconds; doubles up to the longest
const longestRetryDelay = 5000;

const element = (id) => document.getElementById(id);
const number = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** A connection that comes back: opens again after every close, later each time, until it was open once. */
class Link {
  #url;
  #handlers;
  #delay = firstRetryDelay;
  #timer = 0;
  socket = null;
  retryAt = 0;
  wasOpen = false;

  constructor(path, handlers) {
    this.#url = new URL(path, location.href.replace(/^http/, 'ws')).href;
    this.#handlers = handlers;
    this.#connect();
  }

  get isOpen() {
    return this.socket.readyState === WebSocket.OPEN;
  }

  get isWaiting() {
    return this.#timer !== 0;
  }

  /** Tries at once when it is waiting for its next try. */
  retryNow() {
    if (this.isWaiting) this.#connect();
  }

  #connect() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.socket = new WebSocket(this.#url);
    this.socket.binaryType = 'arraybuffer';
    this.socket.onopen = () => {
      this.#delay = firstRetryDelay;
      this.wasOpen = true;
      this.#handlers.open?.();
      showState();
    };
    this.socket.onmessage = (event) => this.#handlers.message(event.data);
    this.socket.onclose = (event) => {
      if (this.wasOpen) this.#handlers.close?.(event.code);
      this.wasOpen = false;
      this.#timer = setTimeout(() => this.#connect(), this.#delay);
      this.retryAt = performance.now() + this.#delay;
      this.#delay = Math.min(this.#delay * 2, longestRetryDelay);
      showState();
    };
    showState();
  }
}

// Echo: binary probes that carry their sending time; what comes back is counted and timed.

const probe = new Float64Array(probeBytes / Float64Array.BYTES_PER_ELEMENT);
let total = 0;
let echoedSinceSample = 0;
let roundTrips = [];
let lastSample = performance.now();
let lastProbe = performance.now();
let due = 0; // probes, and the fraction of the next one
let inFlight = 0;

function onEcho(data) {
  roundTrips.push(performance.now() - new Float64Array(data)[0]);
  echoedSinceSample += 1;
  inFlight -= 1;
  total += 1;
}

/** Sends the probes that are due. A tab that slept makes up for a tenth of a second at most. */
function sendProbes() {
  const now = performance.now();
  const rate = Number(element('load').elements.load.value);
  due += (Math.min(now - lastProbe, 100) * rate) / 1000;
  lastProbe = now;
  if (!echo.isOpen) due = 0;
  due = Math.min(due, maxInFlight - inFlight);
  for (; due >= 1; due -= 1) {
    inFlight += 1;
    probe[0] = performance.now();
    echo.socket.send(probe);
  }
}

// Charts.

class Chart {
  #values = [];
  #line;
  #area;

  constructor(id) {
    this.#line = element(id).querySelector('.line');
    this.#area = element(id).querySelector('.area');
  }

  /** Appends a value (null: a gap) and draws. Returns the highest value in sight. */
  add(value) {
    this.#values.push(value);
    if (this.#values.length > historyLength) this.#values.shift();
    const highest = Math.max(...this.#values.map((v) => v ?? 0));
    const left = historyLength - this.#values.length;
    const x = (index) => (((left + index) * 600) / (historyLength - 1)).toFixed(1);
    const y = (v) => (118 - (v / (highest || 1)) * 114).toFixed(1);
    let line = '';
    let area = '';
    let drawing = false;
    [...this.#values, null].forEach((v, i) => {
      if (v !== null) {
        area += drawing ? `L${x(i)} ${y(v)}` : `M${x(i)} 120L${x(i)} ${y(v)}`;
        line += `${drawing ? 'L' : 'M'}${x(i)} ${y(v)}`;
      } else if (drawing) {
        area += `L${x(i - 1)} 120Z`;
      }
      drawing = v !== null;
    });
    this.#line.setAttribute('d', line);
    this.#area.setAttribute('d', area);
    return highest;
  }
}

const rateChart = new Chart('rate-chart');
const rttChart = new Chart('rtt-chart');

function sample() {
  const now = performance.now();
  const rate = echo.isOpen ? (echoedSinceSample * 1000) / (now - lastSample) : null;
  roundTrips.sort((a, b) => a - b);
  const median = roundTrips.length > 0 ? roundTrips[Math.floor(roundTrips.length / 2)] : null;
  echoedSinceSample = 0;
  roundTrips = [];
  lastSample = now;

  element('rate').textContent = rate === null ? '–' : number.format(rate);
  element('rtt').textContent = median === null ? '–' : formatMilliseconds(median);
  element('total').textContent = number.format(total);
  const highestRate = rateChart.add(rate);
  const highestMedian = rttChart.add(median);
  element('rate-detail').textContent =
    `Echoed by the server on /echo · highest of the last minute ${number.format(highestRate)}`;
  element('rtt-detail').textContent =
    `Median of each half second · highest of the last minute ${formatMilliseconds(highestMedian)} ms`;
  showState();
}

function formatMilliseconds(value) {
  return value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : number.format(value);
}

// Connection state: of both connections together.

function showState() {
  if (echo === null || chat === null) return;
  const links = [echo, chat];
  const waiting = links.filter((link) => link.isWaiting);
  if (links.every((link) => link.isOpen)) {
    setState('connected', 'connected');
  } else if (waiting.length > 0) {
    const soonest = Math.min(...waiting.map((link) => link.retryAt)) - performance.now();
    setState('disconnected', `disconnected, next try in ${Math.max(1, Math.ceil(soonest / 1000))} s`);
  } else {
    setState('connecting', 'connecting');
  }
  element('send').disabled = !chat.isOpen;
}

function setState(state, text) {
  element('connection').dataset.state = state;
  if (element('state-text').textContent !== text) element('state-text').textContent = text;
}

// Chat: JSON texts of the form { name, text }; any other text is shown as it is.

function onChat(data) {
  if (typeof data !== 'string') {
    addMessage('unknown', `${number.format(data.byteLength)} bytes of binary data`, false);
    return;
  }
  const { name, text, id } = parseChat(data);
  addMessage(name, text, id === ownId);
}

function parseChat(data) {
  try {
    const { name, text, id } = JSON.parse(data);
    if (typeof name === 'string' && typeof text === 'string') return { name, text, id };
  } catch {
    // Not JSON: some other client.
  }
  return { name: 'unknown', text: data };
}

function addMessage(name, text, mine) {
  const meta = document.createElement('span');
  meta.className = 'meta';
  const author = document.createElement('b');
  author.textContent = name;
  const time = document.createElement('time');
  time.textContent = new Date().toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
  meta.append(author, time);
  const body = document.createElement('span');
  body.textContent = text;
  append(mine ? 'mine' : '', meta, body);
}

function addNotice(text) {
  append('notice', text);
}

function append(className, ...children) {
  const list = element('messages');
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
  const item = document.createElement('li');
  item.className = className;
  item.append(...children);
  list.append(item);
  if (list.childElementCount > maxMessages) list.firstElementChild.remove();
  if (atEnd || className === 'mine') list.scrollTop = list.scrollHeight;
}

const ownId = Math.random().toString(36).slice(2);
const birds = ['Heron', 'Wren', 'Kestrel', 'Finch', 'Swift', 'Plover', 'Osprey', 'Tern', 'Linnet', 'Avocet'];
element('name').value = birds[Math.floor(Math.random() * birds.length)];

element('chat-form').addEventListener('submit', (event) => {
  event.preventDefault();
  const name = element('name').value.trim();
  const text = element('text').value.trim();
  if (name === '' || text === '' || !chat.isOpen) return;
  chat.socket.send(JSON.stringify({ name, text, id: ownId }));
  element('text').value = '';
  element('text').focus();
});

let echo = null;
let chat = null;
let leftRoom = false;
echo = new Link('/echo', {
  message: onEcho,
  open: () => {
    inFlight = 0;
  },
});
chat = new Link('/chat', {
  message: onChat,
  open: () => {
    if (leftRoom) addNotice('Connected again.');
    leftRoom = false;
  },
  close: (code) => {
    addNotice(code === 1001 ? 'The server went away (1001).' : `The connection was closed (${code}).`);
    leftRoom = true;
  },
});

element('load').addEventListener('submit', (event) => event.preventDefault());
window.addEventListener('online', () => [echo, chat].forEach((link) => link.retryNow()));
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) [echo, chat].forEach((link) => link.retryNow());
});
setInterval(sendProbes, 4);
setInterval(sample, sampleInterval);
