/** `POST /api/ask`: a form with `image` and `question`, answered as JSON. Needs the Node runtime, which is the default. */
import { InputError, Troupe } from 'troupe';

/** One engine for the whole process, kept when a development server loads this module anew. */
const shared = globalThis as typeof globalThis & { troupe?: Promise<Troupe> };

function engine(): Promise<Troupe> {
  // The pictures come from strangers: they may name no files and no addresses.
  const started = shared.troupe ?? Troupe.start({ images: { files: 'none', urls: 'none' } });
  shared.troupe = started;
  started.catch(() => {
    if (shared.troupe === started) delete shared.troupe; // the next request tries again
  });
  return started;
}

export async function POST(request: Request): Promise<Response> {
  const form = await request.formData();
  const image = form.get('image');
  const question = form.get('question');
  if (image === null || typeof image === 'string' || typeof question !== 'string') {
    return Response.json({ error: 'Send a form with image, a file, and question' }, { status: 400 });
  }
  try {
    const troupe = await engine();
    const { text, usage } = await troupe.chat({
      messages: [
        {
          role: 'user',
          content: [
            { type: 'image', image },
            { type: 'text', text: question },
          ],
        },
      ],
      maxTokens: 200,
      signal: request.signal, // a client that goes away stops the compute
    });
    return Response.json({ text, usage });
  } catch (error) {
    if (error instanceof InputError)
      return Response.json({ error: error.message, code: error.code }, { status: 400 });
    throw error;
  }
}
