import { ActorSystem, ask, blueprint, protocol } from 'troupe/runtime';

const greeter = blueprint(protocol('greeter', { greet: ask() }), import.meta.url, './greeter-actor');
const system = new ActorSystem();
system
  .spawn(greeter, undefined, { name: 'greeter' })
  .then((ref) => ref.ask('greet', 'you'))
  .then((said) => console.log(JSON.stringify(said)))
  .finally(() => system.stop());
