// The page: the browser's own WebSocket to the server in the main process.
'use strict';

const element = (id) => document.getElementById(id);
let sentAt = 0;

function show(state, text) {
  element('state').dataset.state = state;
  element('state').textContent = text;
}

function addMessage(text, isOwn) {
  const item = document.createElement('li');
  item.textContent = text;
  item.className = isOwn ? 'own' : '';
  element('messages').append(item);
  item.scrollIntoView();
}

async function connect() {
  const socket = new WebSocket(await window.program.serverUrl());
  socket.onopen = () => show('connected', 'Connected');
  socket.onclose = ({ code }) => show('closed', `Closed with ${code}`);
  socket.onmessage = ({ data }) => {
    const { text, from, transport, memory } = JSON.parse(data);
    element('from').textContent = from;
    element('transport').textContent = transport;
    element('memory').textContent = `${memory} MiB`;
    element('time').textContent = `${(performance.now() - sentAt).toFixed(1)} ms`;
    addMessage(`I got ${JSON.stringify(text)}`, false);
  };
  element('form').onsubmit = (event) => {
    event.preventDefault();
    if (socket.readyState !== WebSocket.OPEN) return;
    const text = element('text').value;
    sentAt = performance.now();
    socket.send(text);
    addMessage(text, true);
    element('form').reset();
  };
}

connect().catch((error) => show('closed', error.message));
