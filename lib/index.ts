/**
 * The package: a WebSocket client and server with the names and meanings of `ws`, and the protocol component.
 *
 * @packageDocumentation
 */
import * as component from './component.js';
import { PreparedMessage } from './prepared-message.js';
import { WebSocketServer } from './server.js';
import { createWebSocketStream } from './stream.js';
import { WebSocket } from './websocket.js';

WebSocket.Server = WebSocketServer;
WebSocket.WebSocketServer = WebSocketServer;
WebSocket.WebSocket = WebSocket;
WebSocket.createWebSocketStream = createWebSocketStream;

export { component, createWebSocketStream, PreparedMessage, WebSocket, WebSocketServer };
export { WebSocketServer as Server };
export default WebSocket;

export type { BlobLike } from './blob.js';
export type {
  DiagnosticsChannels,
  DiagnosticsClose,
  DiagnosticsError,
  DiagnosticsHandshake,
  DiagnosticsMessage,
} from './diagnostics.js';
export type { WebSocketError, WebSocketErrorCode } from './errors.js';
export type {
  CloseEvent,
  ErrorEvent,
  Event,
  EventListener,
  EventListenerObject,
  EventListenerOptions,
  MessageEvent,
  WebSocketEventMap,
  WebSocketEvents,
} from './events.js';
export type {
  BackpressurePolicy,
  BinaryType,
  ClientOptions,
  ConnectionSettings,
  MessageData,
  RawData,
  ReceivedMessage,
  ReceiveOptions,
  SendAsyncOptions,
  SendCallback,
  SendData,
  SendOptions,
  TextType,
  TransportKind,
} from './options.js';
export type { DeflatePreset, PerMessageDeflateOptions } from './permessage-deflate.js';
export type {
  BroadcastOptions,
  ServerCloseOptions,
  ServerOptions,
  UpgradeCallback,
  VerifyClient,
  VerifyClientCallback,
  VerifyClientInfo,
} from './server-options.js';
export type { MessageStream } from './message-stream.js';
export type { MessageWriter, MessageWriterOptions } from './message-writer.js';
export type { PreparedMessageOptions } from './prepared-message.js';
export type { ReadyState } from './ready-state.js';
export type { WebSocketServerEvents } from './server-events.js';
export type { ServerStats } from './server-stats.js';
export type { Listener } from './typed-emitter.js';
export type {
  AddressInfo,
  CertMeta,
  Data,
  FinishRequestCallback,
  VerifyClientCallbackAsync,
  VerifyClientCallbackSync,
} from './ws-types.js';
