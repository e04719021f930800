// This package with messages that are views of its receive memory.
import { WebSocketServer } from 'websocket-component';
import { serve } from './websocket-server.mjs';

serve(WebSocketServer, { delivery: 'borrow' });
