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
import { inCrowd } from '../in-crowd.ts';
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
  const before = await counted(engine);
  const startedAt = performance.now();
  const answers = await inCrowd(requests, inFlight, (request) => figuresOf(engine, request));
  const ms = performance.now() - startedAt;
  const after = await counted(engine);
  return {
    ms,
    answers,
    hostToDeviceBytes: after.hostToDeviceBytes - before.hostToDeviceBytes,
    deviceToHostBytes: after.deviceToHostBytes - before.deviceToHostBytes,
    promptTokensPerRun: after.promptTokensPerRun,
    liveBuffers: after.liveBuffers,
    logitRows: after.logitRows - before.logitRows,
  };
}

async function counted(engine: Troupe) {
  const { gpu, actors } = await engine.stats();
  const rows = actors.map(({ stats }) => Number(stats?.prefillRuns ?? 0) + Number(stats?.decodeRows ?? 0));
  return {
    hostToDeviceBytes: gpu?.hostToDeviceBytes ?? 0,
    deviceToHostBytes: gpu?.deviceToHostBytes ?? 0,
    promptTokensPerRun: gpu?.promptTokensPerRun ?? 0,
    liveBuffers: gpu?.liveBuffers ?? 0,
    logitRows: rows.reduce((sum, count) => sum + count, 0),
  };
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
