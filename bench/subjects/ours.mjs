// This package. WEBSOCKET_COMPONENT_TRANSPORT chooses the transport.
import { WebSocketServer } from 'websocket-component';
import { serve } from './websocket-server.mjs';

// Strings arrive as strings where they are what the task is about.
serve(WebSocketServer, process.argv[2] === 'strings' ? { textType: 'string' } : {});
