// The chat room: JSON texts of the form { name, text, id } on /chat; any other text is shown as it is.
import { count } from './format.js';
import { Link } from './link.js';

const maxMessages = 200; // lines kept on the page
const maxNameLength = 24;
const birds = ['Heron', 'Wren', 'Kestrel', 'Finch', 'Swift', 'Plover', 'Osprey', 'Tern', 'Linnet', 'Avocet'];

const element = (id) => document.getElementById(id);
const pageId = Math.random().toString(36).slice(2);
const sent = new Set(); // texts of this page that have not come back yet
let sentCount = 0;

/** Joins the room. @param onChange called when the state of the connection is another */
export function joinChat(onChange) {
  let hasLeft = false;
  const link = new Link('/chat', {
    message: onMessage,
    open: () => {
      if (hasLeft) addNotice('Connected again.');
    },
    close: (code) => {
      addNotice(code === 1001 ? 'The server went away (1001).' : `The connection was closed (${code}).`);
      hasLeft = true;
      sent.clear();
    },
    change: () => {
      element('send').disabled = !link.isOpen;
      onChange();
    },
  });
  element('name').value = birds[Math.floor(Math.random() * birds.length)];
  element('chat-form').addEventListener('submit', (event) => {
    event.preventDefault();
    const name = element('name').value.trim();
    const text = element('text').value.trim();
    if (name === '' || text === '' || !link.isOpen) return;
    const message = JSON.stringify({ name, text, id: `${pageId}-${++sentCount}` });
    sent.add(message);
    link.socket.send(message);
    element('text').value = '';
    element('text').focus();
  });
  return link;
}

function onMessage(data) {
  if (typeof data !== 'string') {
    addMessage('unknown', `${count(data.byteLength)} bytes of binary data`, false);
    return;
  }
  const { name, text } = parse(data);
  addMessage(name, text, sent.delete(data));
}

function parse(data) {
  try {
    const { name, text } = JSON.parse(data);
    if (typeof name === 'string' && typeof text === 'string') return { name: name.slice(0, maxNameLength), text };
  } catch {
    // Not JSON: some other client.
  }
  return { name: 'unknown', text: data };
}

function addMessage(name, text, isMine) {
  const meta = document.createElement('span');
  meta.className = 'meta';
  const author = document.createElement('b');
  author.textContent = name;
  const time = document.createElement('time');
  time.textContent = new Date().toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
  meta.append(author, time);
  const body = document.createElement('span');
  body.className = 'body';
  body.textContent = text;
  append(isMine ? 'mine' : '', meta, body);
}

function addNotice(text) {
  append('notice', text);
}

function append(className, ...children) {
  const list = element('messages');
  const isAtEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
  const item = document.createElement('li');
  item.className = className;
  item.append(...children);
  list.append(item);
  if (list.childElementCount > maxMessages) list.firstElementChild.remove();
  if (isAtEnd || className === 'mine') list.scrollTop = list.scrollHeight;
}
