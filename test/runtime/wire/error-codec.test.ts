import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { types } from 'node:util';
import { runInNewContext } from 'node:vm';
import { Worker } from 'node:worker_threads';
import { ActorError, TroupeError } from '../../../runtime/errors.ts';
import { decodeError, encodeError, registerErrorClass } from '../../../runtime/wire/error-codec.ts';
import { KitchenError } from './workers/kitchen-error.ts';

/** There and back, with the clone that a message port makes. */
const travel = (thrown: unknown): Error => decodeError(structuredClone(encodeError(thrown)));

const isDefect = (error: Error): error is ActorError =>
  error instanceof ActorError && error.code === 'DEFECT';

test('an error from another thread has its class, fields and cause, though its constructor was not called', async () => {
  const worker = new Worker(new URL('./workers/thrower.ts', import.meta.url));
  const [wire] = await once(worker, 'message');
  const error = decodeError(wire);
  assert.ok(error instanceof KitchenError);
  assert.deepEqual(
    { ...error },
    { name: 'KitchenError', code: 'DISH_FAILED', retrySafe: true, details: { dish: 'soup' }, dish: 'soup' },
  );
  assert.equal(error.message, 'soup failed');
  assert.ok(error.cause instanceof RangeError);
  assert.equal(error.cause.message, 'too hot');
  assert.match(error.stack ?? '', /^KitchenError: soup failed|Error: soup failed/);
  assert.match(error.stack ?? '', /thrower\.ts/);
});

test('what is nested so deeply that the receiver may not be able to read it is left out, or described', () => {
  let deep: object = {};
  for (let depth = 0; depth < 1_500; depth++) deep = { deep };
  const error = travel(Object.assign(new Error('kept', { cause: deep }), { deep, shallow: 1 }));
  assert.deepEqual({ ...error }, { shallow: 1 });
  assert.equal(typeof error.cause, 'string');
});

test('a revived error is one to the engine, to the brand and to instanceof', () => {
  const error = travel(new ActorError('gone', { code: 'ACTOR_DIED', retrySafe: true }));
  assert.ok(types.isNativeError(error));
  assert.ok(TroupeError.is(error));
  assert.ok(error instanceof ActorError && error instanceof TroupeError && error instanceof Error);
  assert.deepEqual([error.code, error.retrySafe, error.details], ['ACTOR_DIED', true, {}]);
});

test('a revived error looks like the original to deepEqual and JSON', () => {
  const original = new TroupeError('no', { code: 'NO', details: { a: 1 } });
  const revived = travel(original);
  assert.equal(JSON.stringify(revived), JSON.stringify(original));
  assert.deepEqual(revived, original);
});

test('the classes of the language are revived as themselves', () => {
  for (const errorClass of [Error, TypeError, RangeError, SyntaxError, ReferenceError, URIError, EvalError]) {
    const error = travel(new errorClass('m'));
    assert.equal(Object.getPrototypeOf(error), errorClass.prototype);
    assert.deepEqual([error.name, error.message, Object.keys(error)], [errorClass.name, 'm', []]);
  }
});

test('a DOMException is revived as one', () => {
  const error = travel(new DOMException('stopped', 'AbortError'));
  assert.ok(error instanceof DOMException);
  assert.deepEqual(
    [error.name, error.message, error.code],
    ['AbortError', 'stopped', DOMException.ABORT_ERR],
  );
});

test('an aggregate keeps its errors, whatever they are', () => {
  const error = travel(new AggregateError([new TypeError('a'), 'b'], 'all failed'));
  assert.ok(error instanceof AggregateError);
  assert.ok(error.errors[0] instanceof TypeError);
  assert.equal(error.errors[1], 'b');
});

test('an error of an unknown class is one of its nearest known ancestor and keeps its name', () => {
  class Special extends RangeError {
    override name = 'SpecialError';
    extra = [1, 2];
  }
  const error = travel(new Special('m'));
  assert.equal(Object.getPrototypeOf(error), RangeError.prototype);
  assert.deepEqual({ ...error }, { name: 'SpecialError', extra: [1, 2] });
});

test('a TroupeError of an unregistered class is a TroupeError', () => {
  class Unregistered extends TroupeError {
    override readonly name = 'Unregistered';
  }
  const error = travel(new Unregistered('m', { code: 'X' }));
  assert.equal(Object.getPrototypeOf(error), TroupeError.prototype);
  assert.equal(error.name, 'Unregistered');
});

test('a stranger with the name of a registered class is not taken for it', () => {
  const stranger = new (class ActorError extends Error {})('m');
  assert.equal(Object.getPrototypeOf(travel(stranger)), Error.prototype);
});

test('two classes of one name are refused, one class twice is not', () => {
  registerErrorClass(KitchenError);
  assert.throws(() => registerErrorClass(class KitchenError extends Error {}), {
    code: 'ERROR_CLASS_CONFLICT',
  });
  const impostor = { name: 'TypeError', prototype: Error.prototype };
  assert.throws(() => registerErrorClass(impostor), { code: 'ERROR_CLASS_CONFLICT' });
});

test('a system error keeps its code and numbers', () => {
  const error = Object.assign(new Error('open failed'), { errno: -2, code: 'ENOENT', syscall: 'open' });
  assert.deepEqual({ ...travel(error) }, { errno: -2, code: 'ENOENT', syscall: 'open' });
});

test('the remote stack is kept and marked once', () => {
  const original = new Error('m');
  const twice = travel(travel(original));
  assert.equal(twice.stack, `${original.stack}\n    at (another thread)`);
});

test('a cause that is no error is kept, and described when it cannot be cloned', () => {
  assert.deepEqual(travel(new Error('m', { cause: { why: 1 } })).cause, { why: 1 });
  assert.equal(travel(new Error('m', { cause: () => 1 })).cause, '[Function: cause]');
  const without = travel(new Error('m'));
  assert.equal(Object.hasOwn(without, 'cause'), false);
});

test('a cycle of causes ends', () => {
  const first = new Error('first');
  const second = new Error('second', { cause: first });
  first.cause = second;
  const { cause } = travel(first);
  assert.ok(cause instanceof Error && cause.message === 'second');
  assert.equal(cause.cause, '[circular]');
});

test('a long chain of causes is cut', () => {
  let error = new Error('root');
  for (let depth = 0; depth < 1_000; depth++) error = new Error('m', { cause: error });
  let length = 0;
  for (let at: unknown = travel(error); at instanceof Error; at = at.cause) length += 1;
  assert.equal(length, 9);
});

test('aggregates of aggregates do not explode', () => {
  let error: Error = new Error('leaf');
  for (let depth = 0; depth < 6; depth++) error = new AggregateError(new Array(50).fill(error), 'm');
  assert.ok(JSON.stringify(encodeError(error)).length < 1_000_000);
});

test('fields that cannot be cloned are dropped, the others stay', () => {
  const error = Object.assign(new Error('m'), {
    fn: () => 1,
    nested: { fn: () => 1 },
    ok: new Map([[1, 2]]),
  });
  assert.deepEqual({ ...travel(error) }, { ok: new Map([[1, 2]]) });
});

test('a huge message is cut', () => {
  const { message } = travel(new Error('x'.repeat(50_000)));
  assert.equal(message, `${'x'.repeat(10_000)}… (40000 more characters)`);
});

test('what is no error becomes a defect that describes it', () => {
  const thrown: [unknown, string, string][] = [
    ['boom', "'boom'", 'string'],
    [undefined, 'undefined', 'undefined'],
    [null, 'null', 'null'],
    [{ fn() {} }, '{ fn: [Function: fn] }', 'object'],
    [Symbol('s'), 'Symbol(s)', 'symbol'],
  ];
  for (const [value, description, type] of thrown) {
    const error = travel(value);
    assert.ok(isDefect(error));
    assert.equal(error.message, `something that is no error was thrown: ${description}`);
    assert.deepEqual(error.details, { thrown: type });
  }
});

test('an error whose getters throw is encoded as far as it can be read', () => {
  const fail = { enumerable: true, get: () => assert.fail('read') };
  const error = Object.defineProperties(new TypeError('m'), {
    message: fail,
    stack: fail,
    extra: fail,
    name: fail,
  });
  const revived = travel(error);
  assert.ok(revived instanceof TypeError);
  assert.deepEqual([revived.name, revived.message], ['Error', '']);
});

test('a proxy that refuses everything is still told of', () => {
  const traps = new Proxy({}, { get: () => () => assert.fail('trapped') });
  assert.ok(isDefect(travel(new Proxy(new Error('m'), traps))));
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  assert.ok(isDefect(travel(proxy)));
});

test('reviving does not disturb the stack traces of this thread', () => {
  const limit = Error.stackTraceLimit;
  travel(new Error('m'));
  assert.equal(Error.stackTraceLimit, limit);
});

test('an error of another realm is revived as one of this, of its class and with its code', () => {
  const thrown = runInNewContext(
    'Object.assign(new RangeError("too far", { cause: new TypeError("no") }), { code: "E" })',
  );
  assert.ok(!(thrown instanceof Error));
  const error = travel(thrown);
  assert.ok(error instanceof RangeError);
  assert.deepEqual([error.message, Reflect.get(error, 'code')], ['too far', 'E']);
  assert.ok(error.cause instanceof TypeError);
});
