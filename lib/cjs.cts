/** What `require()` gives: the class, with the other names as its properties, and as types the names of `@types/ws` too. */
import type { IncomingMessage } from 'node:http';
import type { AddressInfo as NetAddressInfo } from 'node:net';
// eslint-disable-next-line @typescript-eslint/no-require-imports -- what `export =` goes with
import index = require('./index.js');

const { component, PreparedMessage } = index;
const WebSocket: typeof index.WebSocket & {
  component: typeof index.component;
  PreparedMessage: typeof index.PreparedMessage;
} = Object.assign(index.WebSocket, { component, PreparedMessage });
type WebSocket = index.WebSocket;

// eslint-disable-next-line @typescript-eslint/no-namespace -- the only way to give types to `export =`
namespace WebSocket {
  export type WebSocket = index.WebSocket;
  export type WebSocketServer<
    T extends typeof index.WebSocket = typeof index.WebSocket,
    U extends typeof IncomingMessage = typeof IncomingMessage,
  > = index.WebSocketServer<T, U>;
  export type Server<
    T extends typeof index.WebSocket = typeof index.WebSocket,
    U extends typeof IncomingMessage = typeof IncomingMessage,
  > = index.WebSocketServer<T, U>;
  export type AddressInfo = NetAddressInfo;
  export type BackpressurePolicy = index.BackpressurePolicy;
  export type BinaryType = index.BinaryType;
  export type BlobLike = index.BlobLike;
  export type BroadcastOptions = index.BroadcastOptions;
  export type CertMeta = index.CertMeta;
  export type ClientOptions = index.ClientOptions;
  export type CloseEvent = index.CloseEvent;
  export type Data = index.MessageData;
  export type DiagnosticsChannels = index.DiagnosticsChannels;
  export type DiagnosticsClose = index.DiagnosticsClose;
  export type DiagnosticsError = index.DiagnosticsError;
  export type DiagnosticsHandshake = index.DiagnosticsHandshake;
  export type DiagnosticsMessage = index.DiagnosticsMessage;
  export type ErrorEvent = index.ErrorEvent;
  export type DeflatePreset = index.DeflatePreset;
  export type Event = index.Event;
  export type EventListenerOptions = index.EventListenerOptions;
  export type FinishRequestCallback = index.FinishRequestCallback;
  export type MessageData = index.MessageData;
  export type MessageEvent = index.MessageEvent;
  export type PerMessageDeflateOptions = index.PerMessageDeflateOptions;
  export type PreparedMessage = index.PreparedMessage;
  export type PreparedMessageOptions = index.PreparedMessageOptions;
  export type RawData = index.RawData;
  export type ReceivedMessage = index.ReceivedMessage;
  export type ReceiveOptions = index.ReceiveOptions;
  export type SendAsyncOptions = index.SendAsyncOptions;
  export type SendCallback = index.SendCallback;
  export type SendData = index.SendData;
  export type SendOptions = index.SendOptions;
  export type ServerCloseOptions = index.ServerCloseOptions;
  export type ServerOptions<
    T extends typeof index.WebSocket = typeof index.WebSocket,
    U extends typeof IncomingMessage = typeof IncomingMessage,
  > = index.ServerOptions<T, U>;
  export type ServerStats = index.ServerStats;
  export type TextType = index.TextType;
  export type TransportKind = index.TransportKind;
  export type VerifyClient<Request extends IncomingMessage = IncomingMessage> = index.VerifyClient<Request>;
  export type VerifyClientCallback = index.VerifyClientCallback;
  export type VerifyClientCallbackAsync<R extends IncomingMessage = IncomingMessage> =
    index.VerifyClientCallbackAsync<R>;
  export type VerifyClientCallbackSync<R extends IncomingMessage = IncomingMessage> = index.VerifyClientCallbackSync<R>;
  export type VerifyClientInfo<Request extends IncomingMessage = IncomingMessage> = index.VerifyClientInfo<Request>;
  export type WebSocketError = index.WebSocketError;
  export type WebSocketErrorCode = index.WebSocketErrorCode;
  export type WebSocketEventMap = index.WebSocketEventMap;
}

export = WebSocket;
