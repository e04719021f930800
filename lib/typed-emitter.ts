/**
 * Node's EventEmitter with the types of the events that a class has. Listeners of other names are as in EventEmitter, so
 * that a program may have events of its own on our objects.
 */
import { EventEmitter } from 'node:events';

type AnyListener = Parameters<EventEmitter['on']>[1];
/** A listener: `Self` is the object that emits, `Args` what comes with the event. */
export type Listener<Self, Args extends unknown[]> = (this: Self, ...args: Args) => void;

/** The methods of EventEmitter; `Events` has the arguments of the listeners by name. */
export interface TypedEmitter<Events extends Record<keyof Events, unknown[]>> extends EventEmitter {
  on<N extends keyof Events>(name: N, listener: Listener<this, Events[N]>): this;
  on(name: string | symbol, listener: AnyListener): this;
  once<N extends keyof Events>(name: N, listener: Listener<this, Events[N]>): this;
  once(name: string | symbol, listener: AnyListener): this;
  off<N extends keyof Events>(name: N, listener: Listener<this, Events[N]>): this;
  off(name: string | symbol, listener: AnyListener): this;
  addListener<N extends keyof Events>(name: N, listener: Listener<this, Events[N]>): this;
  addListener(name: string | symbol, listener: AnyListener): this;
  removeListener<N extends keyof Events>(name: N, listener: Listener<this, Events[N]>): this;
  removeListener(name: string | symbol, listener: AnyListener): this;
  prependListener<N extends keyof Events>(name: N, listener: Listener<this, Events[N]>): this;
  prependListener(name: string | symbol, listener: AnyListener): this;
  prependOnceListener<N extends keyof Events>(name: N, listener: Listener<this, Events[N]>): this;
  prependOnceListener(name: string | symbol, listener: AnyListener): this;
  emit<N extends keyof Events>(name: N, ...args: Events[N]): boolean;
  emit(...nameAndArgs: Parameters<EventEmitter['emit']>): boolean;
}

/** EventEmitter itself, under a type to extend. */
export const TypedEmitter = EventEmitter as unknown as new <
  Events extends Record<keyof Events, unknown[]>,
>() => TypedEmitter<Events>;
