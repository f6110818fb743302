import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { blueprint } from '../../runtime/blueprint.ts';
import { ActorSystem, ask, protocol } from '../../runtime/index.ts';
import { moduleBeside } from '../../runtime/module-beside.ts';

const HERE = import.meta.url;
/** Where a bundler may have put the code. */
const BUNDLE = new URL('./bundle.js', HERE).href;

const bundled = (missing: RegExp) => (error: Error) => {
  assert.equal(Reflect.get(error, 'code'), 'BUNDLED');
  assert.match(error.message, missing);
  for (const remedy of [/serverExternalPackages: \['troupe'\]/, /--external:troupe/, /ssr\.external/])
    assert.match(error.message, remedy);
  return true;
};

describe('a module that is found by its place', () => {
  it('is the file beside the one that looks, with its extension', () => {
    assert.equal(moduleBeside(HERE, './module-beside.test').href, HERE);
    assert.equal(
      moduleBeside(HERE, '../../runtime/errors').href,
      new URL('../../runtime/errors.ts', HERE).href,
    );
  });

  it('keeps the query that tells two copies apart', () => {
    assert.equal(moduleBeside(`${HERE}?copy=2`, './module-beside.test').href, `${HERE}?copy=2`);
  });

  it('is missed when the code was moved away from it', () => {
    assert.throws(
      () => moduleBeside(BUNDLE, './thread-entry'),
      bundled(/there is no .*runtime.thread-entry\.js\b/),
    );
  });

  it('is missed in a bundle without import.meta.url, or with one that is no file', () => {
    for (const base of [undefined, 'webpack-internal:///x.js', 'data:text/javascript,'])
      assert.throws(() => moduleBeside(base, './thread-entry'), bundled(/there is no \.\/thread-entry/));
  });
});

describe('an actor whose module was left behind', () => {
  const greeter = protocol('greeter', { greet: ask<string, string>() });

  it('can be declared', () => {
    assert.equal(blueprint(greeter, undefined, './greeter-actor').protocol, greeter);
  });

  it('cannot be spawned, and keeps nobody waiting', async () => {
    await using system = new ActorSystem();
    const moved = blueprint(greeter, BUNDLE, './greeter-actor');
    await assert.rejects(system.spawn(moved, undefined, { name: 'greeter' }), bundled(/greeter-actor\.js/));
    assert.deepEqual(system.status(), []);
  });
});
