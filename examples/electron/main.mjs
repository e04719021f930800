// Electron's main process: a WebSocketServer for the windows of the program, and a client of it, both of
// websocket-component. Start: npm install && npm start
//
// The page has no access to Node. It asks the preload script for the server's address, and uses the browser's WebSocket.
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { app, BrowserWindow, ipcMain } from 'electron';
import { WebSocket, WebSocketServer } from 'websocket-component';

const folder = path.dirname(fileURLToPath(import.meta.url));
const page = path.join(folder, 'index.html');
const pageUrl = pathToFileURL(page).href;
const maxPayload = 64 * 1024; // bytes of a message
const maxBacklog = 1024 * 1024; // bytes that may wait for one window before it is dropped
const closeTimeout = 1000; // milliseconds that windows have for answering the Close frame

// Every program and every web page on this computer can connect to a port of 127.0.0.1. Only our page knows the path.
const secret = `/${randomUUID()}`;

/** Passes each message on to everybody else. */
async function startServer() {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, path: secret, maxPayload });
  server.on('connection', (socket) => {
    socket.on('error', (error) => console.error(`server: ${error.message}`));
    socket.on('message', (data, isBinary) => {
      for (const client of server.clients) {
        if (client === socket) continue;
        if (client.bufferedAmount > maxBacklog) client.terminate();
        else client.send(data, { binary: isBinary });
      }
    });
  });
  await once(server, 'listening');
  return server;
}

/** A client in the main process: it answers each text with what this process is. */
async function startClient(url) {
  const socket = new WebSocket(url);
  socket.on('error', (error) => console.error(`client: ${error.message}`));
  await once(socket, 'open');
  socket.on('message', (data, isBinary) => {
    if (isBinary) return;
    const { versions } = process;
    const from = versions.electron === undefined ? `Node.js ${versions.node}` : `Electron ${versions.electron}`;
    const memory = Math.round(process.memoryUsage.rss() / (1024 * 1024));
    socket.send(JSON.stringify({ text: data.toString(), from, transport: socket.transport, memory }));
  });
  return socket;
}

function openWindow() {
  const window = new BrowserWindow({
    width: 720,
    height: 560,
    webPreferences: {
      preload: path.join(folder, 'preload.cjs'),
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
    },
  });
  window.webContents.setWindowOpenHandler(() => ({ action: 'deny' }));
  window.webContents.on('will-navigate', (event) => event.preventDefault());
  return window.loadFile(page);
}

async function start() {
  const server = await startServer();
  const url = `ws://127.0.0.1:${server.address().port}${secret}`;
  await startClient(url);
  ipcMain.handle('server-url', (event) => {
    if (event.senderFrame?.url !== pageUrl) throw new Error('This is for the page of the program.');
    return url;
  });
  app.on('activate', () => {
    if (BrowserWindow.getAllWindows().length === 0) void openWindow(); // macOS: a click on the icon in the dock
  });
  app.on('window-all-closed', async () => {
    if (process.platform === 'darwin') return;
    await server.close({ timeout: closeTimeout });
    app.quit();
  });
  await openWindow();
}

// Not awaited here: Electron is not ready before this module has run.
app.whenReady().then(start, (error) => {
  console.error(error);
  app.exit(1);
});
