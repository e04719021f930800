// The memory behind a WebSocketHandle: views without copies, and nothing that JavaScript does to them, to the handle or
// to the collector's order of things reads or writes what was freed.
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import {
  openPair,
  openServer,
  Property,
  Queue,
  run,
  thrownBy,
  Type,
  type Handle,
  type Wire,
} from './component-support';
import { root } from './support';

const { BINARY_MESSAGE_BUFFER_TYPE: Binary, UTF8_MESSAGE_BUFFER_TYPE: Text } = Type;

function detach(view: Uint8Array): void {
  structuredClone(view.buffer, { transfer: [view.buffer as ArrayBuffer] });
  expect(view.buffer.byteLength).toBe(0);
}

type MemoryConstructor = new (options: { initial: number }) => { buffer: ArrayBuffer; grow(pages: number): number };

/** A complete, masked (key 0) binary frame. */
const frame = (payload: Buffer) => Buffer.concat([Buffer.from([0x82, 0x80 | payload.length, 0, 0, 0, 0]), payload]);

/** Runs a program in a process of its own, with the component as its names and a collector that it can call. */
function runProgram(body: string): string {
  const program = `
    const { component } = require(${JSON.stringify(join(root, 'dist/index.js'))});
    const { WebSocketHandle } = component;
    const open = (properties) => {
      const handle = WebSocketHandle.createServerHandle(properties);
      handle.openWithoutHandshake();
      return handle;
    };
    const turn = () => new Promise((resolve) => setImmediate(resolve));
    const collect = async () => { for (let i = 0; i < 4; i++) { gc(); await turn(); } };
    (async () => { ${body} })();
  `;
  const { stdout, stderr, status, signal } = spawnSync(process.execPath, ['--expose-gc', '-e', program], {
    encoding: 'utf8',
    timeout: 25_000,
  });
  expect({ stderr, status, signal }).toEqual({ stderr: '', status: 0, signal: null });
  return stdout.trim();
}

describe('views', () => {
  test("a server's payload is the caller's own memory, also in the middle of a larger one", () => {
    const server = openServer();
    const memory = new Uint8Array(1000).fill(7);
    server.send(Binary, memory.subarray(100, 300));
    const { buffers, actionContext } = server.getAction(Queue.SEND_ACTION_QUEUE);
    expect(buffers[1].buffer).toBe(memory.buffer);
    expect([buffers[1].byteOffset, buffers[1].length]).toEqual([100, 200]);
    server.completeAction(actionContext, 204);
  });

  test("a receive fills the caller's own memory, at its offset", () => {
    const server = openServer();
    const memory = new Uint8Array(100);
    server.receive(memory.subarray(50, 60));
    const read = server.getAction(Queue.RECEIVE_ACTION_QUEUE);
    read.buffers[0].set(frame(Buffer.from('hello')));
    server.completeAction(read.actionContext, 11);
    const { buffers } = server.getAction(Queue.RECEIVE_ACTION_QUEUE);
    expect(buffers[0].buffer).toBe(memory.buffer);
    expect(Buffer.from(memory.subarray(50, 56)).toString()).toBe('hello\0');
  });

  test('everything else lies in one ArrayBuffer of the handle, the same for its whole life', () => {
    const [client] = openPair();
    const seen = new Set<unknown>();
    for (let round = 0; round < 3; round++) {
      client.send(Binary, Buffer.alloc(10_000));
      for (let left = 10_000 + 8; left > 0;) {
        const { buffers, actionContext } = client.getAction(Queue.SEND_ACTION_QUEUE);
        seen.add(buffers[0].buffer);
        left -= buffers[0].length;
        client.completeAction(actionContext, buffers[0].length);
      }
      run(client);
    }
    client.receive();
    seen.add(client.getAction(Queue.RECEIVE_ACTION_QUEUE).buffers[0].buffer);
    expect(seen.size).toBe(1);
    expect((seen.values().next().value as ArrayBuffer).byteLength).toBe(4096 + 4096 + 144);
  });

  test('stay readable and writable after delete', () => {
    const server = openServer();
    server.send(Binary, Buffer.from('payload'));
    server.receive();
    const { buffers: sent } = server.getAction(Queue.SEND_ACTION_QUEUE);
    const { buffers: space } = server.getAction(Queue.RECEIVE_ACTION_QUEUE);
    server.delete();
    expect(Buffer.concat(sent).toString('latin1')).toBe('\x82\x07payload');
    space[0].fill(0xff);
    expect(space[0][4095]).toBe(0xff);
  });

  test('stay readable and writable after delete and after collection, and keep nothing else alive', () => {
    const output = runProgram(`
      const kept = [];
      const refs = [];
      const use = (i) => {
        const handle = open();
        handle.send(0x80000002, new Uint8Array(100).fill(i));
        handle.receive();
        kept.push(handle.getAction(1).buffers, handle.getAction(2).buffers);
        refs.push(new WeakRef(handle));
        if (i % 2 === 0) handle.delete();
      };
      for (let i = 0; i < 50; i++) use(i);
      await collect();
      let sum = 0;
      for (let i = 0; i < 50; i++) {
        const [header, payload] = kept[2 * i];
        const [space] = kept[2 * i + 1];
        if (header[0] !== 0x82 || header[1] !== 100 || payload[99] !== i) throw new Error('changed: ' + i);
        space.fill(i);
        sum += space[4095];
      }
      await collect();
      console.log(sum, refs.filter((ref) => ref.deref() !== undefined).length);
    `);
    expect(output).toBe('1225 0');
  });
});

describe('send buffers', () => {
  test('one that is changed after send is sent as it is when its action is handed out', () => {
    const [client, server] = openPair();
    for (const [from, to] of [
      [server, client],
      [client, server],
    ] as const) {
      const wire: Wire = [];
      const memory = Buffer.from('before');
      from.send(Binary, memory);
      memory.write('after!');
      run(from, { out: wire });
      to.receive();
      expect(run(to, { into: wire })).toMatchObject([{ data: Buffer.from('after!') }]);
    }
  });

  test('one that is detached already is refused', () => {
    const server = openServer();
    const memory = new Uint8Array(10);
    detach(memory);
    for (const call of [
      () => server.send(Binary, memory),
      () => server.send(Type.CLOSE_BUFFER_TYPE, { status: 1000, reason: memory }),
      () => server.sendControl(Type.PING_PONG_BUFFER_TYPE, memory),
      () => server.receive(memory),
      () => server.injectReceivedBytes(memory),
    ]) {
      const error = thrownBy(call);
      expect(error.name).toBe('TypeError');
      expect(error.message).toContain('must not be a view of a detached ArrayBuffer');
    }
  });

  test.each([
    ['before its action', 0],
    ['while its action is outstanding', 1],
  ])('one that is detached %s: the action is refused, and abort gives the operations back', (_name, actions) => {
    const server = openServer();
    const memory = new Uint8Array(5000).fill(1);
    server.send(Binary, memory, 'detached');
    server.send(Binary, Buffer.from('next'), 'next');
    const action = actions === 1 ? server.getAction(Queue.SEND_ACTION_QUEUE) : undefined;
    detach(memory);
    const call = () =>
      action === undefined
        ? server.getAction(Queue.SEND_ACTION_QUEUE)
        : server.completeAction(action.actionContext, 5004);
    expect(thrownBy(call).name).toBe('TypeError');
    expect(thrownBy(call).message).toContain('was detached');
    server.abort();
    if (action !== undefined) server.completeAction(action.actionContext, 0);
    expect(run(server).map(({ context }) => context)).toEqual(['detached', 'next']);
  });

  test('a receive buffer that is detached while it is filled', () => {
    const server = openServer();
    const memory = new Uint8Array(10);
    server.receive(memory, 'detached');
    const read = server.getAction(Queue.RECEIVE_ACTION_QUEUE);
    read.buffers[0].set(frame(Buffer.from('hello')));
    detach(memory);
    expect(() => server.completeAction(read.actionContext, 11)).toThrow('was detached');
    server.abort();
    server.completeAction(read.actionContext, 11);
    expect(run(server)).toMatchObject([{ context: 'detached', data: undefined }]);
  });

  test("the handle's own memory is detached", () => {
    const server = openServer();
    server.receive(null, 'waiting');
    const read = server.getAction(Queue.RECEIVE_ACTION_QUEUE);
    detach(read.buffers[0]);
    expect(() => server.completeAction(read.actionContext, 5)).toThrow('the ArrayBuffer of the handle was detached');
    expect(() => server.getAction(Queue.ALL_ACTION_QUEUE)).toThrow('the ArrayBuffer of the handle was detached');
    server.abort();
    server.completeAction(read.actionContext, 0);
    expect(run(server)).toMatchObject([{ context: 'waiting' }]);
    server.delete();
  });

  test('shared and resizable memory is copied when it is sent', () => {
    const server = openServer();
    const shared = new Uint8Array(new SharedArrayBuffer(100)).fill(3);
    // As Node 20's types do not have it yet.
    const Resizable = ArrayBuffer as unknown as new (
      length: number,
      options: { maxByteLength: number },
    ) => ArrayBuffer & { resize(length: number): void };
    const resizable = new Resizable(64, { maxByteLength: 1 << 20 });
    const view = new Uint8Array(resizable).fill(9);
    Object.defineProperty(resizable, 'resizable', { value: false }); // a lie that nobody believes
    const wire: Wire = [];
    server.send(Binary, shared);
    server.send(Binary, view);
    shared.fill(0);
    resizable.resize(0);
    run(server, { out: wire });
    expect(Buffer.concat(wire)).toEqual(
      Buffer.concat([Buffer.from([0x82, 100]), Buffer.alloc(100, 3), Buffer.from([0x82, 64]), Buffer.alloc(64, 9)]),
    );
    resizable.resize(64);
    expect(() => server.receive(view)).toThrow('fixed length');
  });

  test('one in the memory of WebAssembly, which grows', () => {
    const server = openServer();
    // The types have it only together with a browser's.
    const { Memory } = (globalThis as unknown as { WebAssembly: { Memory: MemoryConstructor } }).WebAssembly;
    const memory = new Memory({ initial: 1 });
    server.send(Binary, new Uint8Array(memory.buffer, 0, 1000));
    memory.grow(1);
    expect(() => server.getAction(Queue.SEND_ACTION_QUEUE)).toThrow('was detached');
  });

  test('many that wait in one coalesced action, of which one is detached', () => {
    const server = openServer([
      { type: Property.COALESCE_SENDS_PROPERTY_TYPE, value: true },
      { type: Property.SEND_BUFFER_SIZE_PROPERTY_TYPE, value: 4096 },
    ]);
    const memories = Array.from({ length: 20 }, () => new Uint8Array(16));
    for (const memory of memories) server.send(Binary, memory);
    detach(memories[13]);
    expect(() => server.getAction(Queue.SEND_ACTION_QUEUE)).toThrow('was detached');
  });
});

test('bytes scribbled into the memory of a handle at any time spoil its messages, nothing else', () => {
  let seed = 12345;
  const random = (below: number) => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return (seed >>> 8) % below;
  };
  let faults = 0;
  for (let round = 0; round < 300; round++) {
    const [client, server] = openPair();
    const buffers: Uint8Array[] = [];
    const step = (from: Handle, to: Handle): void => {
      from.send(Text, Buffer.alloc(random(9000), 'x'));
      to.receive();
      for (let count = 0; count < 12; count++) {
        const send = from.getAction(Queue.SEND_ACTION_QUEUE);
        buffers.push(...send.buffers);
        const receive = to.getAction(Queue.RECEIVE_ACTION_QUEUE);
        buffers.push(...receive.buffers);
        for (const buffer of buffers.splice(0)) {
          const whole = new Uint8Array(buffer.buffer);
          for (let times = random(4); times > 0; times--) whole[random(whole.length)] = random(256);
        }
        const bytes = Buffer.concat(send.buffers);
        if (receive.action === 3) receive.buffers[0].set(bytes.subarray(0, receive.buffers[0].length));
        from.completeAction(send.actionContext, bytes.length);
        const space = receive.action === 3 ? receive.buffers[0].length : 0;
        to.completeAction(receive.actionContext, Math.min(bytes.length, space));
        if (receive.action === 4) to.receive();
      }
    };
    try {
      step(client, server);
      step(server, client);
    } catch (error) {
      expect((error as { code?: string }).code).toMatch(/^E_INVALID_PROTOCOL_/);
      faults++;
    }
  }
  expect(faults).toBeGreaterThan(0);
});

describe('lifetime', () => {
  test('handles are collected with operations pending, whose contexts refer to them', () => {
    const output = runProgram(`
      const refs = [];
      let finalized = 0;
      const registry = new FinalizationRegistry(() => finalized++);
      const use = (i) => {
        const handle = open();
        const context = { handle, big: new Uint8Array(1000) };
        const memory = new Uint8Array(100);
        memory.buffer.owner = handle;
        handle.receive(memory, context);
        handle.send(0x80000002, memory, context);
        handle.send(0x80000002, memory, () => handle);
        if (i % 3 === 0) { handle.getAction(1); handle.getAction(2); }
        if (i % 5 === 0) handle.abort();
        refs.push(new WeakRef(handle));
        registry.register(context);
      };
      for (let i = 0; i < 200; i++) use(i);
      await collect();
      console.log(refs.filter((ref) => ref.deref() !== undefined).length, finalized);
    `);
    expect(output).toBe('0 200');
  });

  test('a context and a buffer live as long as their operation, and no longer', () => {
    const output = runProgram(`
      const handle = open();
      let context = { name: 'context' };
      let memory = new Uint8Array(5000).fill(5);
      const refs = [new WeakRef(context), new WeakRef(memory.buffer)];
      const alive = async () => { await collect(); return refs.map((ref) => ref.deref() !== undefined).join(); };
      handle.send(0x80000002, memory, context);
      context = memory = undefined;
      const log = [await alive()];
      let action = handle.getAction(1);
      const sum = action.buffers[1].reduce((a, b) => a + b, 0);
      handle.completeAction(action.actionContext, 5004);
      action = handle.getAction(1);
      log.push(action.context.name, sum);
      handle.completeAction(action.actionContext, 0);
      action = undefined;
      await turn();
      log.push(await alive());
      console.log(log.join(' '));
    `);
    expect(output).toBe('true,true context 25000 false,false');
  });

  test('delete lets go of everything that waits', () => {
    const output = runProgram(`
      const handle = open();
      const refs = (() => {
        const context = {};
        const memory = new Uint8Array(100);
        handle.send(0x80000002, memory, context);
        handle.receive(new Uint8Array(10), context);
        return [new WeakRef(context), new WeakRef(memory.buffer)];
      })();
      handle.delete();
      await turn();
      await collect();
      console.log(refs.map((ref) => ref.deref() !== undefined).join(), typeof handle);
    `);
    expect(output).toBe('false,false object');
  });

  test('thousands of handles, made and dropped, leave nothing behind', () => {
    const output = runProgram(`
      const round = async () => {
        for (let i = 0; i < 3000; i++) {
          const handle = open();
          handle.send(0x80000000, Buffer.from('message'), { i });
          handle.receive();
          handle.getAction(3);
          if (i % 2 === 0) handle.delete();
          if (i % 1000 === 0) await turn();
        }
        await collect();
        return process.memoryUsage().rss;
      };
      for (let i = 0; i < 3; i++) await round();
      const before = await round();
      for (let i = 0; i < 3; i++) await round();
      const after = await round();
      console.log(Math.round((after - before) / (1 << 20)));
    `);
    // MiB; 12,000 handles have 48. The address sanitizer keeps freed memory.
    if (!process.env.LD_PRELOAD?.includes('libasan')) expect(Number(output)).toBeLessThan(20);
  });

  test('tens of thousands of operations come back in order', () => {
    const server = openServer();
    const payload = Buffer.from('x');
    for (let count = 0; count < 30_000; count++) server.send(Binary, payload, count);
    for (let count = 0; count < 30_000; count++) server.receive(null, count);
    const numbers = Array.from({ length: 30_000 }, (_, index) => index);
    expect(run(server, { queue: Queue.SEND_ACTION_QUEUE }).map(({ context }) => context)).toEqual(numbers);
    server.abort();
    const read = run(server, { queue: Queue.RECEIVE_ACTION_QUEUE });
    expect(read.map(({ context }) => context)).toEqual(numbers);
  });
});

describe('worker threads', () => {
  const program = `
    const { parentPort } = require('node:worker_threads');
    const { component } = require(${JSON.stringify(join(root, 'dist/index.js'))});
    const { WebSocketHandle } = component;
    const open = (create) => { const handle = create(); handle.openWithoutHandshake(); return handle; };
    const step = (count) => {
      for (let i = 0; i < count; i++) {
        const client = open(WebSocketHandle.createClientHandle);
        const server = open(WebSocketHandle.createServerHandle);
        client.send(0x80000000, Buffer.from('message ' + i), { client });
        server.receive(null, { server });
        const send = client.getAction(3);
        const receive = server.getAction(3);
        receive.buffers[0].set(send.buffers[0]);
        client.completeAction(send.actionContext, send.buffers[0].length);
        server.completeAction(receive.actionContext, send.buffers[0].length);
        const { buffers, context } = server.getAction(3);
        if (context.server !== server || String(Buffer.from(buffers[0])) !== 'message ' + i) throw new Error('wrong');
        if (i % 3 === 0) client.delete();
      }
    };
  `;

  test('each has handles of its own', async () => {
    const workers = [1, 2, 3].map(
      () => new Worker(`${program} step(2000); parentPort.postMessage('done');`, { eval: true }),
    );
    const ends = await Promise.all(
      workers.map(async (worker) => [(await once(worker, 'message'))[0], (await once(worker, 'exit'))[0]] as unknown),
    );
    expect(ends).toEqual([
      ['done', 0],
      ['done', 0],
      ['done', 0],
    ]);
  });

  test('are terminated in the middle', async () => {
    for (let round = 0; round < 10; round++) {
      const worker = new Worker(`${program} parentPort.postMessage(0); for (;;) step(100);`, { eval: true });
      await once(worker, 'message');
      await new Promise((resolve) => setTimeout(resolve, round * 3));
      expect(await worker.terminate()).toBe(1);
    }
  });

  // Whoever is terminated inside createClientHandle leaves a handle that no object owns (the leak check sees it).
  test('are terminated while they make handles', async () => {
    for (let round = 0; round < 20; round++) {
      const worker = new Worker(
        `${program} parentPort.postMessage(0); for (;;) WebSocketHandle.createClientHandle().delete();`,
        { eval: true },
      );
      await once(worker, 'message');
      await new Promise((resolve) => setTimeout(resolve, round));
      expect(await worker.terminate()).toBe(1);
    }
  });
});
