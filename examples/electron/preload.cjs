// Runs before the page, in a world of its own: all that the page gets is one function.
'use strict';

const { contextBridge, ipcRenderer } = require('electron');

contextBridge.exposeInMainWorld('program', {
  serverUrl: () => ipcRenderer.invoke('server-url'),
});
