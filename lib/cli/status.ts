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
  if (code === 'EPROTO') return 'Perhaps the server does not use TLS: then its URL begins with ws://.';
  return undefined;
}

/**
 * Calls back when the program should end: at Ctrl-C, SIGTERM and SIGHUP, and when nobody reads its output any more
 * (`| head`). A second Ctrl-C ends it at once.
 */
export function onInterrupt(listener: () => void): void {
  let isInterrupted = false;
  const interrupt = (): void => {
    if (isInterrupted) process.exit(Status.Interrupted);
    isInterrupted = true;
    listener();
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, interrupt);
  process.stdout.on('error', () => {
    if (!isInterrupted) interrupt();
  });
}
