/** The values of `readyState` (WHATWG WebSockets). */
export const ReadyState = {
  /** The opening handshake is not done. */
  Connecting: 0,
  /** Messages can be sent. */
  Open: 1,
  /** The closing handshake is under way, or the connection is being given up. */
  Closing: 2,
  /** The connection is gone, or never came to be. */
  Closed: 3,
} as const;
/** A value of the constant of this name. */
export type ReadyState = (typeof ReadyState)[keyof typeof ReadyState];
