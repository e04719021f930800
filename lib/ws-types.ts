/** Names of `@types/ws` that are not also names of ours, so that programs written with them compile. */
import type { ClientRequest, IncomingMessage } from 'node:http';
import type { VerifyClientCallback, VerifyClientInfo } from './server-options.js';
import type { WebSocket } from './websocket.js';

export type { AddressInfo } from 'node:net';
export type { MessageData as Data } from './options.js';

/** A certificate or key. */
export type CertMeta = string | string[] | Buffer | Buffer[];

/** The option `finishRequest`. */
export type FinishRequestCallback = (request: ClientRequest, websocket: WebSocket) => void;

/** A `verifyClient` that answers at once. */
export type VerifyClientCallbackSync<Request extends IncomingMessage = IncomingMessage> = (
  info: VerifyClientInfo<Request>,
) => boolean;

/** A `verifyClient` that calls back. */
export type VerifyClientCallbackAsync<Request extends IncomingMessage = IncomingMessage> = (
  info: VerifyClientInfo<Request>,
  callback: VerifyClientCallback,
) => void;
