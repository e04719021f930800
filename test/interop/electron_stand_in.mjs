// What examples/electron/main.mjs uses of the module 'electron', for a plain Node.js whose parent process is the test. The
// test is told of each window, calls handlers as a page would, and closes the windows.
import { EventEmitter } from 'node:events';

const handlers = new Map();
const windows = [];

export const app = Object.assign(new EventEmitter(), {
  whenReady: () => Promise.resolve(),
  // Electron ends whatever is open; here the process ends by itself, if nothing is.
  quit: () => process.disconnect(),
  exit: (code) => process.exit(code),
});

export const ipcMain = {
  handle: (channel, handler) => handlers.set(channel, handler),
};

export class BrowserWindow {
  webContents = Object.assign(new EventEmitter(), { setWindowOpenHandler: () => {} });

  constructor(options) {
    this.options = options;
    windows.push(this);
  }

  static getAllWindows() {
    return [...windows];
  }

  loadFile(file) {
    process.send({ kind: 'window', file, webPreferences: this.options.webPreferences });
    return Promise.resolve();
  }
}

process.on('message', async ({ kind, channel, url }) => {
  if (kind === 'close') {
    windows.length = 0;
    app.emit('window-all-closed');
    return;
  }
  try {
    process.send({ kind: 'answer', value: await handlers.get(channel)({ senderFrame: { url } }) });
  } catch (error) {
    process.send({ kind: 'answer', error: error.message });
  }
});
