// The WebSocket that Node.js has itself: the client of undici.
import { connect } from './standard-client.mjs';

connect(globalThis.WebSocket);
