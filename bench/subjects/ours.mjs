// This package. WEBSOCKET_COMPONENT_TRANSPORT chooses the transport.
import { WebSocketServer } from 'websocket-component';
import { serve } from './websocket-server.mjs';

serve(WebSocketServer);
