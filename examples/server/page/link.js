// A connection that comes back: it opens again after every close, later each time, until it was open once.
const firstRetryDelay = 500; // milliseconds; doubles up to the longest
const longestRetryDelay = 5000;

export class Link {
  #url;
  #handlers;
  #delay = firstRetryDelay;
  #timer = 0;
  #wasOpen = false;
  #isEnded = false;
  socket = null;
  /** The time of the next try, as performance.now() tells it. */
  retryAt = 0;

  /**
   * @param path on the server that this script came from
   * @param handlers open(), message(data), close(code) after it was open, change() when the state is another
   */
  constructor(path, handlers) {
    this.#url = new URL(path, location.href.replace(/^http/, 'ws')).href;
    this.#handlers = handlers;
    this.#connect();
  }

  get isOpen() {
    return this.socket.readyState === WebSocket.OPEN;
  }

  get isWaiting() {
    return this.#timer !== 0;
  }

  /** Tries at once when it is waiting for its next try. */
  retryNow() {
    if (this.isWaiting) this.#connect();
  }

  /** Closes it for good, with status 1000. */
  end() {
    this.#isEnded = true;
    clearTimeout(this.#timer);
    this.socket.close(1000);
  }

  #connect() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.socket = new WebSocket(this.#url);
    this.socket.binaryType = 'arraybuffer';
    this.socket.onopen = () => {
      this.#delay = firstRetryDelay;
      this.#wasOpen = true;
      this.#handlers.open?.();
      this.#handlers.change?.();
    };
    this.socket.onmessage = (event) => this.#handlers.message?.(event.data);
    this.socket.onclose = (event) => this.#closed(event.code);
  }

  #closed(code) {
    const wasOpen = this.#wasOpen;
    this.#wasOpen = false;
    if (!this.#isEnded) {
      this.#timer = setTimeout(() => this.#connect(), this.#delay);
      this.retryAt = performance.now() + this.#delay;
      this.#delay = Math.min(this.#delay * 2, longestRetryDelay);
    }
    if (wasOpen) this.#handlers.close?.(code);
    this.#handlers.change?.();
  }
}
