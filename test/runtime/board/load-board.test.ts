import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { LoadBoard } from '../../../runtime/board/load-board.ts';
import { processNow } from '../../../runtime/clock.ts';
import { ActorSystem } from '../../../runtime/system/actor-system.ts';
import probe from '../actors/probe-actor.ts';
import type { BusyTask } from './workers/busy.ts';

const IDLE = { queueDepth: 0, running: 0, freeSlots: 0, beats: 0, busySince: 0, busyMs: 0, restarts: 0 };

test('what one thread publishes another reads, on one clock', async () => {
  const board = LoadBoard.create(2);
  board.claim();
  const task: BusyTask = { handle: board.handle(), slot: board.claim() };
  const worker = new Worker(new URL('./workers/busy.ts', import.meta.url), { workerData: task });
  await once(worker, 'message');
  const age = processNow() - board.handle().createdAt;
  const { busySince, busyMs, ...counts } = board.read(task.slot);
  assert.deepEqual(counts, { queueDepth: 5, running: 2, freeSlots: 6, beats: 2, restarts: 0 });
  assert.ok(busySince > 0 && busySince <= age, `busy since ${busySince} on a board ${age} ms old`);
  assert.ok(busyMs >= 0 && busyMs < age);
  assert.equal(board.load(task.slot), 7);
  assert.deepEqual(board.read(0), IDLE);
});

test('an idle actor is busy since never', () => {
  const board = LoadBoard.create(1);
  const writer = board.writer(board.claim());
  writer.busy();
  assert.notEqual(board.read(0).busySince, 0);
  writer.idle();
  assert.deepEqual(board.read(0), IDLE);
});

test('busy time is right on a board that is older than an int32 of milliseconds', () => {
  const young = LoadBoard.create(1).handle();
  for (const days of [20, 30, 60]) {
    const ageMs = days * 24 * 3600 * 1000;
    const board = LoadBoard.attach({ ...young, createdAt: young.createdAt - ageMs });
    board.writer(0).busy();
    const { busySince, busyMs } = board.read(0);
    assert.ok(busyMs < 1_000, `${days} days: busy for ${busyMs} ms`);
    assert.ok(busySince >= ageMs);
  }
});

test('a slot that is claimed again starts from zero', () => {
  const board = LoadBoard.create(1);
  const slot = board.claim();
  const writer = board.writer(slot);
  writer.restarts(3);
  writer.queueDepth(1);
  board.free(slot);
  assert.equal(board.claim(), slot);
  assert.deepEqual(board.read(slot), IDLE);
});

test('beats wrap without going below zero', () => {
  const board = LoadBoard.create(1);
  new Int32Array(board.handle().memory)[3] = 2 ** 31 - 1;
  board.writer(0).beat();
  assert.equal(board.read(0).beats, 2 ** 31);
});

test('a full board, a slot freed twice and a slot that does not exist are errors', () => {
  const board = LoadBoard.create(1);
  const slot = board.claim();
  assert.throws(() => board.claim(), { code: 'LOAD_BOARD_FULL' });
  board.free(slot);
  assert.throws(() => board.free(slot), RangeError);
  assert.throws(() => board.read(1), RangeError);
  assert.throws(() => board.writer(-1), RangeError);
  assert.throws(() => LoadBoard.create(0), RangeError);
});

test('slots are handed out by the board’s creator alone', () => {
  const board = LoadBoard.attach(LoadBoard.create(1).handle());
  assert.throws(() => board.claim(), { code: 'LOAD_BOARD_ATTACHED' });
  assert.throws(() => board.free(0), { code: 'LOAD_BOARD_ATTACHED' });
});

test('has slots for the actors of any machine, of which only those in use take memory', async () => {
  const system = new ActorSystem();
  const names = Array.from({ length: 300 }, (_, index) => `probe/${index}`);
  await system.spawnLocal(probe, {}, { name: 'probe', size: names.length });
  assert.deepEqual([...system.loads().keys()], names);
  await system.stop();
});

test('hands a slot out once until it is given back', () => {
  const board = LoadBoard.create(3);
  assert.deepEqual([board.claim(), board.claim(), board.claim()], [0, 1, 2]);
  assert.throws(() => board.claim(), { code: 'LOAD_BOARD_FULL' });
  board.free(1);
  assert.throws(() => board.free(1), RangeError);
  assert.equal(board.claim(), 1);
  assert.throws(() => board.claim(), { code: 'LOAD_BOARD_FULL' });
});
