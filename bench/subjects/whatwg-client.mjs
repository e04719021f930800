import { WebSocket } from 'websocket-component/whatwg';
import { connect } from './standard-client.mjs';

connect(WebSocket);
