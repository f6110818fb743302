import { type ChatResult, Troupe } from 'troupe';
import { ActorSystem } from 'troupe/runtime';
import { serve } from 'troupe/server';
export async function main(): Promise<unknown[]> {
  await using troupe = await Troupe.start({});
  const result: ChatResult = await troupe.chat({ messages: [{ role: 'user', content: 'Hi' }] });
  return [result.text, serve, ActorSystem];
}
