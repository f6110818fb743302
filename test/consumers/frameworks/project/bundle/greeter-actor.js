import { ask, blueprint, defineActor, protocol } from 'troupe/runtime';

export default defineActor({
  blueprint: blueprint(protocol('greeter', { greet: ask() }), import.meta.url, './greeter-actor'),
  setup: () => ({ handlers: { greet: (name) => `Hello ${name}` } }),
});
