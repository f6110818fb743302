/** The processor actor: text and images to what the model reads. Several requests at once, since most of it waits. */
import { defineActor } from '../../runtime/actor/behaviour.ts';
import { processNow } from '../../runtime/clock.ts';
import type { PreparedImage, PreparedRequest, StageTrace } from '../generation.ts';
import { PIXEL_ARENA, processorActor } from '../protocols.ts';
import { assertWanted, hop, stageSpan } from '../trace.ts';
import { RequestPreparer } from './request-preparer.ts';

/** Requests being fetched, decoded or handed over at once. */
const CONCURRENCY = 8;

export default defineActor({
  blueprint: processorActor,
  concurrency: CONCURRENCY,
  async setup({ directory, limits, images: policy, encoder, pd }, context) {
    const pixels = context.arena(PIXEL_ARENA);
    const { holder } = context;
    const preparer = await RequestPreparer.load({ directory, limits, images: policy, pixels, holder });
    let prepared = 0;
    return {
      handlers: {
        async generate({ chat, requestId, submittedAt, deadline }, writer) {
          const startedAt = processNow();
          const signal = AbortSignal.any([writer.signal, context.stopping]);
          assertWanted({ requestId, deadline }, signal);
          const { promptIds, images, sampling, preprocessMs, release } = await preparer.prepare(chat, signal);
          prepared += 1;
          try {
            const trace: StageTrace = {
              submittedAt,
              queueMs: startedAt - submittedAt,
              preprocessMs,
              encodeMs: 0,
              stages: [stageSpan('preprocess', context.name, preprocessMs)],
              hops: images.length === 0 ? [] : [hop(context.name, encoder.name, 'pixels', tensorsOf(images))],
              handedOverAt: processNow(),
            };
            const request: PreparedRequest = { requestId, promptIds, sampling, deadline, trace, images };
            // Until the encoder is done with the pixels, our hold on them must not go.
            if (images.length === 0 && pd !== undefined) {
              await pd.forward('generate', { ...request, images: [] }, writer, { signal });
            } else {
              await encoder.forward('generate', request, writer, { signal });
            }
          } finally {
            release();
          }
        },
      },
      stats: () => ({ prepared }),
    };
  },
});

const tensorsOf = (images: readonly PreparedImage[]) => images.map(({ pixels }) => pixels);
