// ws as it is used: https://github.com/websockets/ws. With WS_NO_BUFFER_UTIL=1 as shipped, else with bufferutil.
import { WebSocketServer } from 'ws';
import { serve } from './websocket-server.mjs';

serve(WebSocketServer);
