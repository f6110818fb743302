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
    /** As long from an address. */
    read(ms: number, address = 'a') {
      turns.note(address);
      time += ms;
      turns.note(address);
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
      read(4);
      endTurn();
    }
    assert.equal(socket.reading, true);
  });

  it('let a new connection wait where the address has had its time, though it has no other left', () => {
    const { turns, connect, read, endTurn } = world();
    const first = connect('a1', 'a');
    read(50);
    turns.closed(first, 'a');
    const second = connect('a2', 'a');
    const other = connect('b', 'b');
    assert.equal(second.reading, false);
    assert.equal(other.reading, true);
    endTurn(); // in which both came
    assert.equal(second.reading, false);
    endTurn();
    assert.equal(second.reading, true);
    assert.equal(connect('a3', 'a').reading, true);
  });

  it('pause the connections of an address that has had its time, and go on in the next', () => {
    const { connect, read, endTurn } = world();
    const mine = [connect('a1', 'a'), connect('a2', 'a')];
    const other = connect('b', 'b');
    read(50);
    assert.deepEqual(
      mine.map(({ reading }) => reading),
      [false, false],
    );
    assert.equal(other.reading, true);
    endTurn();
    endTurn(); // in which nothing came
    assert.deepEqual(
      mine.map(({ reading }) => reading),
      [true, true],
    );
  });

  it('count the time of each address for itself, and of each turn', () => {
    const { connect, read, endTurn } = world();
    const sockets = [connect('a', 'a'), connect('b', 'b')];
    for (let turn = 0; turn < 3; turn++) {
      read(4, 'a');
      read(4, 'b');
      endTurn();
    }
    assert(sockets.every(({ reading }) => reading));
  });

  it('take some of each address at once, those first that have waited longest', () => {
    const { connect, read, endTurn, order } = world();
    for (let i = 0; i < 40; i++) connect(`a${i}`, 'a');
    connect('b', 'b');
    read(50, 'a');
    read(50, 'b');
    endTurn();
    endTurn(); // in which nothing came
    assert.deepEqual(order, [...Array.from({ length: 32 }, (_, i) => `a${i}`), 'b']);
    endTurn();
    assert.equal(order.length, 41);
    assert.equal(endTurn(), false);
  });

  it('wait for one in which nothing else came', () => {
    const { connect, read, endTurn } = world();
    const socket = connect('a', 'a');
    read(50, 'a');
    for (let turn = 0; turn < 10; turn++) {
      connect(`b${turn}`, 'b');
      endTurn();
      assert.equal(socket.reading, false);
    }
    endTurn();
    assert.equal(socket.reading, true);
  });

  it('wait no longer than for 64, whatever comes', () => {
    const { connect, read, endTurn } = world();
    const socket = connect('a', 'a');
    connect('b', 'b');
    read(50, 'a');
    for (let turn = 0; turn < 64; turn++) {
      read(1, 'b');
      endTurn();
    }
    assert.equal(socket.reading, false);
    read(1, 'b');
    endTurn();
    assert.equal(socket.reading, true);
  });

  it('put a new connection behind those that its address already has', () => {
    const { connect, read, endTurn, order } = world();
    for (let i = 0; i < 40; i++) connect(`old ${i}`, 'a');
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
    while (endTurn());
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
