/** What `require()` gives: the class, with the other names as its properties. */
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
  export type WebSocketServer = index.WebSocketServer;
  export type Server = index.WebSocketServer;
  export type WebSocketError = index.WebSocketError;
  export type WebSocketErrorCode = index.WebSocketErrorCode;
  export type Event = index.Event;
  export type MessageEvent = index.MessageEvent;
  export type CloseEvent = index.CloseEvent;
  export type ErrorEvent = index.ErrorEvent;
  export type BinaryType = index.BinaryType;
  export type ClientOptions = index.ClientOptions;
  export type MessageData = index.MessageData;
  export type PreparedMessage = index.PreparedMessage;
  export type PreparedMessageOptions = index.PreparedMessageOptions;
  export type SendCallback = index.SendCallback;
  export type SendData = index.SendData;
  export type SendOptions = index.SendOptions;
  export type ServerCloseOptions = index.ServerCloseOptions;
  export type ServerOptions = index.ServerOptions;
  export type TransportKind = index.TransportKind;
  export type VerifyClient = index.VerifyClient;
  export type VerifyClientCallback = index.VerifyClientCallback;
  export type VerifyClientInfo = index.VerifyClientInfo;
}

export = WebSocket;
