/**
 * One engine in a process of its own: one process can have one actor on a GPU, and what is compared should not share
 * a runtime.
 *
 *     node engine-child.ts OPTIONS
 *
 * OPTIONS are the engine's, as JSON.
 */
import process from 'node:process';
import { Troupe, type TroupeOptions } from '../../src/index.ts';
import { failureOf } from '../asked-child.ts';
import { type PeerRequest, toChatOptions } from '../peers/peer-request.ts';
import type { AnswerFigures, EngineAnswer, EngineTask } from './engine-task.ts';

const options = JSON.parse(process.argv[2] ?? '{}') as TroupeOptions; // checked where the engine starts

try {
  const engine = await Troupe.start(options);
  process.on('message', async (task: EngineTask) => {
    process.send?.(await answer(engine, task).catch(failureOf));
  });
  process.send?.('ready');
} catch (error) {
  process.send?.(failureOf(error));
}

async function answer(engine: Troupe, { requests, inFlight }: EngineTask): Promise<EngineAnswer> {
  await engine.clearCaches();
  const answers: AnswerFigures[] = [];
  let next = 0;
  const caller = async (): Promise<void> => {
    for (let index = next++; index < requests.length; index = next++) {
      const request = requests[index];
      if (request !== undefined) answers[index] = await figuresOf(engine, request);
    }
  };
  const before = await crossed(engine);
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: inFlight }, caller));
  const ms = performance.now() - startedAt;
  const after = await crossed(engine);
  return {
    ms,
    answers,
    hostToDeviceBytes: after.hostToDeviceBytes - before.hostToDeviceBytes,
    deviceToHostBytes: after.deviceToHostBytes - before.deviceToHostBytes,
  };
}

async function crossed(engine: Troupe) {
  return (await engine.stats()).gpu ?? { hostToDeviceBytes: 0, deviceToHostBytes: 0 };
}

async function figuresOf(engine: Troupe, request: PeerRequest): Promise<AnswerFigures> {
  const { tokenIds, usage, timings, bytesBetweenActors } = await engine.chat(toChatOptions(request));
  const { moved, copied } = bytesBetweenActors.embeddings;
  const { timeToFirstTokenMs, encodeMs, prefillMs, interTokenMs } = timings;
  return {
    tokenIds,
    completionTokens: usage.completionTokens,
    timeToFirstTokenMs,
    encodeMs,
    prefillMs,
    interTokenMs,
    embeddingBytes: moved + copied,
  };
}
