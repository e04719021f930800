import { WebSocket } from 'ws';
import { connect } from './websocket-client.mjs';

connect(WebSocket, { perMessageDeflate: false });
