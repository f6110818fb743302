/** The processor actor: text and images to what the model reads. Several requests at once, since most of it waits. */
import { defineActor } from '../../runtime/actor/behaviour.ts';
import { processNow } from '../../runtime/clock.ts';
import { giveWay } from '../../runtime/thread/give-way.ts';
import {
  type EncodedImage,
  type Hop,
  isEncoded,
  type PreparedImage,
  type RequestEnvelope,
} from '../generation.ts';
import { loadUnchanged } from '../model/file-stamps.ts';
import {
  DECODE_BUDGET,
  EMBEDDING_ARENA,
  EMBEDDING_CACHE,
  PIXEL_ARENA,
  processorActor,
  SMALL_DECODE_BUDGET,
} from '../protocols.ts';
import { PrefixRouter } from '../route-by-prefix.ts';
import { assertWanted, hop, stageSpan } from '../trace.ts';
import { freeImages } from './free-images.ts';
import { RequestPreparer } from './request-preparer.ts';

/** Requests being fetched, decoded or handed over at once. Those that wait for memory must not keep out those that do not. */
const CONCURRENCY = 64;

export default defineActor({
  blueprint: processorActor,
  concurrency: CONCURRENCY,
  async setup({ directory, limits, images: policy, encoder, pd, board }, context) {
    giveWay();
    const pixels = context.arena(PIXEL_ARENA);
    const encoded = { cache: context.cache(EMBEDDING_CACHE), arena: context.arena(EMBEDDING_ARENA) };
    const preparer = await loadUnchanged(directory.stamps, () =>
      RequestPreparer.load({
        directory,
        limits,
        policy,
        pixels,
        decoding: { any: context.arena(DECODE_BUDGET), small: context.arena(SMALL_DECODE_BUDGET) },
        holder: context.holder,
        ...(directory.encoding === 'separate' ? { encoded } : {}),
      }),
    );
    const router = new PrefixRouter(board, directory.geometry.imageTokenId);
    let count = 0;
    return {
      handlers: {
        async generate({ chat, requestId, wantsStream, submittedAt, deadline }, writer) {
          const startedAt = processNow();
          const signal = AbortSignal.any([writer.signal, context.stopping]);
          assertWanted({ requestId, deadline }, signal);
          const ready = await preparer.prepare(chat, requestId, signal);
          const { promptIds, answerTokens, positions, images, sampling, constraint, preprocessMs, release } =
            ready;
          freeImages(chat); // this thread's copy: they are decoded, and the answer may take long
          count += 1;
          try {
            const envelope = (hops: readonly Hop[]): RequestEnvelope => ({
              requestId,
              wantsStream,
              keepsSpace: chat.prompt === undefined ? undefined : true,
              promptIds,
              answerTokens,
              positions,
              sampling,
              ...(constraint === undefined ? {} : { constraint }),
              deadline,
              trace: {
                submittedAt,
                queueMs: startedAt - submittedAt,
                preprocessMs,
                encodeMs: 0,
                stages: [stageSpan('preprocess', context.name, preprocessMs)],
                hops,
                handedOverAt: processNow(),
              },
            });
            const prefer = router.preferenceFor({ promptIds, images });
            // Until the next stage is done with pixels and embeddings, our hold on them must not go.
            if (pd !== undefined && images.every(isEncoded)) {
              // Nothing to encode: past the encoder.
              const request = { ...envelope(embeddingHops(context.name, pd.name, images)), images };
              await pd.forward('generate', request, writer, { signal, prefer });
            } else {
              const request = { ...envelope(pixelHops(context.name, encoder.name, images)), images };
              // In disaggregated mode an encoder is as good as another: it is the encoder that chooses PD.
              const chosen = pd === undefined ? { signal, prefer } : { signal };
              await encoder.forward('generate', request, writer, chosen);
            }
          } finally {
            release();
          }
        },
        async tokenize({ requestId, chat, pieces }, call) {
          const signal = AbortSignal.any([call.signal, context.stopping]);
          const ids = await preparer.tokenize(chat, requestId, signal);
          freeImages(chat);
          return { ids, pieces: pieces === undefined ? [] : preparer.pieces(ids, pieces) };
        },
        detokenize: (tokens) => preparer.detokenize(tokens),
      },
      stats: () => ({ prepared: count, decodes: preparer.decodes }),
      stop: () => preparer.close(),
    };
  },
});

/** An actor that encodes has the cache of embeddings itself: those that were found there are not handed to it. */
function pixelHops(from: string, to: string, images: readonly (PreparedImage | EncodedImage)[]): Hop[] {
  const pixels = images.flatMap((image) => (isEncoded(image) ? [] : [image.pixels]));
  return pixels.length === 0 ? [] : [hop(from, to, 'pixels', pixels)];
}

function embeddingHops(from: string, to: string, images: readonly EncodedImage[]): Hop[] {
  const embeddings = images.map((image) => image.embeddings);
  return embeddings.length === 0 ? [] : [hop(from, to, 'embeddings', embeddings)];
}
