/**
 * Keeps the GPU's device from the first test of this process to the last. onnxruntime has one for all sessions of a process, with
 * the shaders that were compiled for it, and lets it go with the last session: on a driver that emulates a GPU, compiling
 * them is most of what the start of an engine costs. The session held here never runs, so that nothing but its device is shared.
 */
import { after, before } from 'node:test';
import { node, smallGraph } from '../../actors/inference/gpu/small-graph.ts';
import { InferenceSession } from '../../actors/inference/onnxruntime.ts';

const GRAPH = smallGraph({
  inputs: [['from', 'float32', 1]],
  nodes: [node('Identity', ['from'], 'to')],
  outputs: [['to', 'float32', 1]],
});

let session: InferenceSession;
before(async () => {
  session = await InferenceSession.create(GRAPH, { executionProviders: ['webgpu'] });
});
after(() => session.release());
