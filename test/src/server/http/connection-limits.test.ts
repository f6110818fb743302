import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ConnectionLimits } from '../../../../src/server/http/connection-limits.ts';

/** Connections by name, and which of them were closed. */
function connecting(limits: ConnectionLimits) {
  const closed: string[] = [];
  const sockets = new Map<string, { destroy(): void }>();
  const socketOf = (name: string) => {
    const socket = sockets.get(name) ?? { destroy: () => void closed.push(name) };
    sockets.set(name, socket);
    return socket;
  };
  return {
    closed,
    connect: (name: string, address: string, unlimited = false) =>
      limits.admit(socketOf(name), address, unlimited),
    ask: (name: string) => limits.requestBegan(socketOf(name)),
    answer: (name: string) => limits.requestEnded(socketOf(name)),
    leave: (name: string) => limits.closed(socketOf(name)),
  };
}

describe('the limits of connections', () => {
  it('close the longest idle one of an address that has its share', () => {
    const limits = new ConnectionLimits({ total: 100, perAddress: 2 });
    const { connect, closed } = connecting(limits);
    for (const name of ['a1', 'a2', 'a3', 'a4']) assert.equal(connect(name, 'a'), true);
    assert.deepEqual(closed, ['a1', 'a2']);
    assert.equal(limits.open, 2);
  });

  it('refuse an address that has its share in use', () => {
    const { connect, ask, answer, closed } = connecting(new ConnectionLimits({ total: 100, perAddress: 2 }));
    for (const name of ['a1', 'a2']) {
      connect(name, 'a');
      ask(name);
    }
    assert.equal(connect('a3', 'a'), false);
    assert.equal(connect('b1', 'b'), true);
    answer('a2');
    assert.equal(connect('a4', 'a'), true);
    assert.deepEqual(closed, ['a2']);
  });

  it('close an idle one of the address with most when all are taken', () => {
    const { connect, ask, closed } = connecting(new ConnectionLimits({ total: 4, perAddress: 3 }));
    for (const name of ['b1', 'a1', 'a2', 'a3']) connect(name, name.slice(0, 1));
    ask('a1');
    assert.equal(connect('c1', 'c'), true);
    assert.deepEqual(closed, ['a2']);
  });

  it('refuse everyone when all are in use', () => {
    const { connect, ask } = connecting(new ConnectionLimits({ total: 2, perAddress: 2 }));
    for (const name of ['a1', 'b1']) {
      connect(name, name);
      ask(name);
    }
    assert.equal(connect('c1', 'c'), false);
  });

  it('count one with several requests as in use until all are answered', () => {
    const { connect, ask, answer } = connecting(new ConnectionLimits({ total: 1, perAddress: 1 }));
    connect('a1', 'a');
    ask('a1');
    ask('a1');
    answer('a1');
    assert.equal(connect('b1', 'b'), false);
    answer('a1');
    assert.equal(connect('b1', 'b'), true);
  });

  it('let a proxy have as many as there are', () => {
    const { connect, closed } = connecting(new ConnectionLimits({ total: 10, perAddress: 1 }));
    for (let i = 0; i < 9; i++) assert.equal(connect(`p${i}`, 'p', true), true);
    assert.deepEqual(closed, []);
  });

  it('forget who leaves', () => {
    const limits = new ConnectionLimits({ total: 1, perAddress: 1 });
    const { connect, leave, closed } = connecting(limits);
    connect('a1', 'a');
    leave('a1');
    leave('a1');
    assert.equal(limits.open, 0);
    assert.equal(connect('a2', 'a'), true);
    assert.deepEqual(closed, []);
  });
});
