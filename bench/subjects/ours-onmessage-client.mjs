import { WebSocket } from 'websocket-component';
import { connect } from './standard-client.mjs';

connect(WebSocket);
