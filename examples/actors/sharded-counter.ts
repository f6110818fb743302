/**
 * A counter in three shards: `pinned` routing sends a key to the same member for good, however many are under way.
 *
 * Run it: node examples/actors/sharded-counter.ts
 */
import { ActorSystem } from '../../runtime/index.ts';
import { shard } from './protocols.ts';

await using system = new ActorSystem();
const shards = await system.spawn(shard, undefined, { name: 'shard', size: 3, routing: 'pinned' });

const users = ['ada', 'grace', 'edsger', 'barbara', 'donald', 'frances'];
const sent: Promise<void>[] = [];
for (let n = 0; n < 6_000; n++) {
  const user = users[n % users.length] ?? '';
  sent.push(shards.send('add', user, { routeKey: user })); // waits for room
}
await Promise.all(sent);

for (const user of users) console.log(user, await shards.ask('count', user, { routeKey: user }));
const held = [...(await shards.askEach('keys', undefined)).values()];
console.log('each key in one shard:', held.flat().length === users.length);
