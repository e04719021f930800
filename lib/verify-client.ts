/** The `verifyClient` option: three ways to answer, one to hear the answer. */
import { STATUS_CODES, type IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import type { VerifyClient, VerifyClientCallback } from './server-options.js';
import { internalError, type Refusal } from './server-handshake.js';

/**
 * Asks whether a request is accepted.
 * @param decide gets the verdict, perhaps later: undefined accepts
 * @throws what `verifyClient` throws.
 */
export function verify(
  verifyClient: VerifyClient,
  request: IncomingMessage,
  decide: (refusal: Refusal | undefined) => void,
): void {
  const info = {
    origin: request.headers.origin as string, // as @types/ws has it
    secure: Boolean((request.socket as Partial<TLSSocket> | undefined)?.encrypted),
    req: request,
  };
  const done: VerifyClientCallback = (verified, status, message, headers) => {
    if (verified) {
      decide(undefined);
      return;
    }
    const code = status || 401;
    decide({ status: code, message: message || (STATUS_CODES[code] ?? ''), headers });
  };
  const verdict: unknown = verifyClient(info, done);
  if (verifyClient.length >= 2) return;
  if (!(verdict instanceof Promise)) done(Boolean(verdict));
  else {
    verdict.then(
      (verified) => done(Boolean(verified)),
      () => decide(internalError),
    );
  }
}
