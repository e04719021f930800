/** `Symbol.asyncDispose`; Node.js before 20.4 lacks it, and gets a symbol of our own that nobody knows. */
export const asyncDispose: typeof Symbol.asyncDispose =
  (Symbol as { asyncDispose?: typeof Symbol.asyncDispose }).asyncDispose ??
  (Symbol('Symbol.asyncDispose') as typeof Symbol.asyncDispose);
