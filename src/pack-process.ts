/**
 * Packs one graph's weights in a process of its own, and ends. onnxruntime loads and saves a graph synchronously and
 * needs the memory of its weights twice while it does; what a process took goes back to the system when it ends.
 */
import { type PackRequest, packedGraph } from '../actors/inference/packed-graph.ts';

// A terminal's Ctrl-C is sent to this process too. What is half written is finished: a few seconds, and next time it
// is there.
process.on('SIGINT', () => {});

process.once('message', async (request: PackRequest) => {
  const result = await packedGraph(request);
  // Whoever asked may be gone by now.
  if (process.connected) process.send?.(result, () => process.disconnect());
});
