/** The routes of other APIs: Responses, Messages, text completions, and those that count tokens. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { messagesFormat } from '../anthropic/messages-writer.ts';
import { answerChat, type ChatCall, serveRequest, type Work } from '../chat/answer.ts';
import { completionFormat } from '../completions/completion-format.ts';
import type { EndpointName } from '../endpoint/request-readers.ts';
import { ReceivedBody } from '../http/received-body.ts';
import type { ApiError } from '../openai/api-error.ts';
import { responseFormat } from '../responses/response-writer.ts';
import type { ServerState } from '../server-state.ts';
import { tokenizeResponse } from '../tokenize/tokenize-response.ts';

type Posted = FastifyRequest<{ Body: ReceivedBody | undefined }>;

const TAKES_BODY = { config: { needsKey: true, takesBody: true } } as const;

export function translatedRoutes(app: FastifyInstance, state: ServerState): void {
  const post = (path: string, answer: (call: ChatCall) => Promise<void>) => {
    app.post(path, TAKES_BODY, async (request: Posted, reply: FastifyReply) => {
      await answer({ request, reply, body: request.body ?? new ReceivedBody() });
      return reply;
    });
  };
  post('/v1/responses', (call) => answerChat(state, call, { name: 'responses', format: responseFormat }));
  post('/v1/messages', (call) => answerChat(state, call, { name: 'messages', format: messagesFormat }));
  post('/v1/completions', (call) =>
    answerChat(state, call, { name: 'completions', format: completionFormat }),
  );
  post('/v1/messages/count_tokens', (call) =>
    tell(state, call, 'count_tokens', messagesFormat.failure, async (engine, { chat }, { signal }) => ({
      input_tokens: (await engine.tokenize({ ...chat, signal })).ids.length,
    })),
  );
  post('/tokenize', (call) =>
    tell(state, call, 'tokenize', openAi, async (engine, { chat, details }, { signal }) => {
      const tokenized = await engine.tokenize({ ...chat, signal }, details.pieces);
      return tokenizeResponse(tokenized, details, engine.contextLength);
    }),
  );
  post('/detokenize', (call) =>
    tell(state, call, 'detokenize', openAi, async (engine, { chat: { prompt } }, { signal }) => {
      const tokens = prompt !== undefined && 'tokens' in prompt ? prompt.tokens : [];
      const text = await engine.detokenize(tokens, signal);
      return { prompt: text, content: text }; // vLLM's name and llama.cpp's
    }),
  );
}

const openAi = (error: ApiError): object => error.body;

/** Answers without the language model. */
async function tell<Name extends EndpointName>(
  state: ServerState,
  call: ChatCall,
  name: Name,
  failure: (error: ApiError) => object,
  answer: (...asked: Parameters<Work<Name>>) => Promise<object>,
): Promise<void> {
  const work: Work<Name> = async (...asked) => {
    call.reply.send(await answer(...asked));
    return undefined;
  };
  await serveRequest(state, call, { name, failure, work });
}
