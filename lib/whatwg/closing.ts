/** What `close` may be told, in all classes of the standard alike. */
import { byteLength } from '../data.js';

/** Most bytes of a reason: what a control frame has room for behind the status (RFC 6455, 5.5). */
const maxReasonBytes = 123;

/**
 * Validates a close code and reason.
 * @param code null: none
 * @throws "InvalidAccessError" DOMException for another code than 1000 and 3000 to 4999; "SyntaxError" DOMException for a
 * reason of more than 123 bytes of UTF-8.
 */
export function validateClose(code: number | null, reason: string): void {
  if (code !== null && code !== 1000 && (code < 3000 || code > 4999)) {
    throw new DOMException(`The close code must be 1000 or from 3000 to 4999, not ${code}`, 'InvalidAccessError');
  }
  const bytes = byteLength(reason);
  if (bytes > maxReasonBytes) {
    throw new DOMException(
      `The close reason must be at most ${maxReasonBytes} bytes of UTF-8, not ${bytes}`,
      'SyntaxError',
    );
  }
}

/** The status of the Close frame: a reason cannot stand without one. */
export function statusFor(code: number | null, reason: string): number | undefined {
  return code ?? (reason === '' ? undefined : 1000);
}
