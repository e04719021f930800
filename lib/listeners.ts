/**
 * Where an EventEmitter keeps its listeners by event. Its own object is a hash table of 230 bytes, the greater part of an
 * idle socket; this one has a place for each of the few events that sockets have.
 */
export const Listeners = function () {} as unknown as new () => object;
Listeners.prototype = Object.create(null) as object;
