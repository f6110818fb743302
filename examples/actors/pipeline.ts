/**
 * A pipeline of two actors. The reader's stream goes along, so the last stage answers the reader and not the stage before.
 *
 * Run it: node examples/actors/pipeline.ts
 */
import { ActorSystem } from '../../runtime/index.ts';
import { stage } from './protocols.ts';

await using system = new ActorSystem();
const shouting = await system.spawn(stage, { work: 'shout' }, { name: 'shout' });
const trimming = await system.spawn(stage, { work: 'trim', next: shouting }, { name: 'trim' });

const reader = trimming.stream('run', ['  one ', ' two', 'three  ']);
for await (const line of reader) console.log(line);
console.log(await reader.final, 'lines');
