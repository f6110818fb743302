/**
 * A route of a Fastify server that answers questions about the picture in the request's body.
 *
 * Run it:  PORT=3000 node examples/fastify-route.ts
 * Ask it:  curl --data-binary @examples/four-shapes.png -H 'content-type: image/png' \
 *            'http://127.0.0.1:3000/ask?question=What%20is%20in%20this%20image%3F'
 */
import Fastify from 'fastify';
import { InputError, Troupe } from '../src/index.ts'; // 'troupe' in your code

// The pictures come from strangers: they may name no files and no addresses.
const troupe = await Troupe.start({ images: { files: 'none', urls: 'none' } });

const app = Fastify({ bodyLimit: 20 * 1024 * 1024 });

app.addContentTypeParser(/^image\//, { parseAs: 'buffer' }, (_request, body, done) => done(null, body));

app.post<{ Body: Buffer; Querystring: { question: string } }>(
  '/ask',
  {
    schema: {
      querystring: { type: 'object', required: ['question'], properties: { question: { type: 'string' } } },
    },
  },
  async (request, reply) => {
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort()); // a client that goes away stops the compute
    const { text, usage } = await troupe.chat({
      messages: [
        {
          role: 'user',
          content: [
            { type: 'image', image: request.body },
            { type: 'text', text: request.query.question },
          ],
        },
      ],
      maxTokens: 200,
      signal: gone.signal,
    });
    return { text, usage };
  },
);

app.setErrorHandler((error, _request, reply) => {
  if (!(error instanceof InputError)) return reply.send(error);
  return reply.code(400).send({ error: error.message, code: error.code });
});

// Requests in flight are answered first, then the actors are stopped.
app.addHook('onClose', async () => {
  await troupe.stop();
});
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => app.close());

console.log(await app.listen({ port: Number(process.env.PORT ?? 3000) }));
