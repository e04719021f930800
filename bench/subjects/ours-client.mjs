import { WebSocket } from 'websocket-component';
import { connect } from './websocket-client.mjs';

connect(WebSocket, { perMessageDeflate: false });
