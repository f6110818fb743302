import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ReadTurns } from '../../../../src/server/http/read-turns.ts';

/** Sockets that say whether they are read from, and a clock that goes when it is told to. */
function world() {
  let time = 0;
  let next: (() => void)[] = [];
  const turns = new ReadTurns({ now: () => time, nextTurn: (callback) => void next.push(callback) });
  const order: string[] = [];
  const connect = (name: string, address: string) => {
    const socket = {
      reading: true,
      pause() {
        this.reading = false;
      },
      resume() {
        this.reading = true;
        order.push(name);
      },
    };
    // As on a real socket, where it comes from the class.
    const made: typeof socket = Object.create(socket);
    turns.connected(made, address);
    return made;
  };
  return {
    turns,
    order,
    connect,
    read(ms: number) {
      turns.note();
      time += ms;
      turns.note();
    },
    endTurn() {
      const ended = next;
      next = [];
      for (const callback of ended) callback();
      return ended.length > 0;
    },
  };
}

describe('turns of reading', () => {
  it('pause nobody while little is read', () => {
    const { connect, read, endTurn } = world();
    const socket = connect('a', 'a');
    for (let turn = 0; turn < 5; turn++) {
      read(5);
      endTurn();
    }
    assert.equal(socket.reading, true);
  });

  it('pause everyone when a turn has taken its time, and go on in the next', () => {
    const { connect, read, endTurn } = world();
    const sockets = [connect('a', 'a'), connect('b', 'b')];
    read(50);
    assert.deepEqual(
      sockets.map(({ reading }) => reading),
      [false, false],
    );
    endTurn();
    assert.deepEqual(
      sockets.map(({ reading }) => reading),
      [true, true],
    );
  });

  it('begin with the address that has fewest connections, and take a few of each', () => {
    const { connect, read, endTurn, order } = world();
    for (let i = 0; i < 10; i++) connect(`many ${i}`, 'many');
    connect('few', 'few');
    read(50);
    endTurn();
    assert.deepEqual(order, ['few', 'many 0', 'many 1', 'many 2', 'many 3']);
    endTurn();
    assert.deepEqual(order.slice(5), ['many 4', 'many 5', 'many 6', 'many 7']);
    while (endTurn());
    assert.equal(order.length, 11);
  });

  it('put a new connection behind those that its address already has', () => {
    const { connect, read, endTurn, order } = world();
    for (let i = 0; i < 5; i++) connect(`old ${i}`, 'a');
    read(50);
    const late = connect('late', 'a');
    assert.equal(late.reading, false);
    while (endTurn());
    assert.equal(order.at(-1), 'late');
    assert.equal(late.reading, true);
  });

  it('let nobody else resume a connection that is paused', () => {
    const { connect, read, endTurn } = world();
    const socket = connect('a', 'a');
    read(50);
    socket.resume();
    assert.equal(socket.reading, false);
    endTurn();
    socket.pause();
    socket.resume();
    assert.equal(socket.reading, true);
  });

  it('forget who leaves', () => {
    const { turns, connect, read, endTurn, order } = world();
    const socket = connect('a', 'a');
    read(50);
    turns.closed(socket, 'a');
    while (endTurn());
    assert.deepEqual(order, []);
  });
});
