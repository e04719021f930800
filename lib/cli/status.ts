/** How the program ends: its exit statuses, what an error says, and Ctrl-C. */

/** The exit statuses; docs/command-line.md explains them. */
export const Status = {
  /** Everything went as it should. */
  Ok: 0,
  /** It could not begin: no connection, no port, no binary, no build. */
  Failed: 1,
  /** The command line is wrong. */
  Usage: 2,
  /** It began, and something went wrong then: a connection ended abnormally, a wrong echo, a case that did not pass. */
  Broken: 3,
  /** A second Ctrl-C. */
  Interrupted: 130,
} as const;

/** What an error says. Node's error for several addresses has no message of its own. */
export function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(messageOf).join('; ');
  if (!(error instanceof Error)) return String(error);
  return error.message === '' ? error.name : error.message;
}

/** What may help against an error of connecting; undefined: nothing known. */
export function hintFor(error: unknown): string | undefined {
  const code = String((error as NodeJS.ErrnoException | undefined)?.code);
  if (/CERT|SELF_SIGNED|ISSUER/.test(code)) return '--ca FILE trusts a certificate, --insecure accepts every one.';
  if (code === 'ECONNREFUSED') return 'Nobody listens there. Is the server running, and the port the right one?';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'The name of the host is not known here.';
  if (code === 'ECONNRESET') return 'Perhaps the server wants TLS: then its URL begins with wss://.';
  if (code === 'EPROTO') return 'Perhaps the server does not use TLS: then its URL begins with ws://.';
  return undefined;
}

/** Why the program should end: a signal, or nobody reads its output any more (`| head`). */
export type Interruption = 'signal' | 'unread';

/** Calls back once when the program should end. A second signal ends it at once. */
export function onInterrupt(listener: (why: Interruption) => void): void {
  let isInterrupted = false;
  const interrupt = (why: Interruption): void => {
    if (isInterrupted && why === 'signal') process.exit(Status.Interrupted);
    if (!isInterrupted) listener(why);
    isInterrupted = true;
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => interrupt('signal'));
  process.stdout.on('error', () => interrupt('unread'));
}
