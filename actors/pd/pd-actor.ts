/** The PD actor: prefill and decode of the language model, on image embeddings that another actor made. */
import { defineActor } from '../../runtime/actor/behaviour.ts';
import { owningGpu } from '../inference/gpu/own-gpu.ts';
import { prepareInferenceThread } from '../inference/inference-thread.ts';
import { loadUnchanged } from '../model/file-stamps.ts';
import { poolMember } from '../pool-member.ts';
import { EMBEDDING_ARENA, pdActor } from '../protocols.ts';
import { assertWanted, received } from '../trace.ts';
import { PdEngine } from './engine/engine.ts';
import { embeddedImage, holdImages } from './held-images.ts';
import { LanguageStage } from './language-stage.ts';

export default defineActor({
  blueprint: pdActor,
  async setup(args, context) {
    prepareInferenceThread(args.directory);
    const member = poolMember(args, context.name);
    const stage = await owningGpu(args.device, context.name, async (gpu) => {
      const engine = await loadUnchanged(args.directory.stamps, () =>
        PdEngine.load(args.directory, { ...args, ...member, gpu }),
      );
      return new LanguageStage(engine, args.maxRunning, context, gpu, member);
    });
    const arena = context.arena(EMBEDDING_ARENA);
    return {
      handlers: {
        async generate({ images, ...envelope }, writer) {
          assertWanted(envelope, writer.signal);
          await stage.room(envelope, writer.signal);
          const trace = received(envelope.trace, context.name);
          const encoded = images.map(({ hash, embeddings }) => embeddedImage(hash, embeddings));
          const held = holdImages(arena, context.holder, encoded);
          stage.submit({ envelope: { ...envelope, trace }, images: held }, writer);
        },
      },
      control: { clearCaches: () => stage.clear() },
      stats: () => ({ ...stage.stats() }),
      stop: () => stage.release(),
    };
  },
});
