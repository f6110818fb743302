/** The routes of OpenAI's API. */
import type { FastifyInstance } from 'fastify';
import { answerChat } from '../chat/answer.ts';
import { ReceivedBody } from '../http/received-body.ts';
import type { ServedModel } from '../models/served-model.ts';
import { ApiError } from '../openai/api-error.ts';
import { chatFormat } from '../openai/chat-response.ts';
import type { ServerState } from '../server-state.ts';

const CHAT = { name: 'chat', format: chatFormat } as const;

const needsKey = { config: { needsKey: true } } as const;

export function chatRoutes(app: FastifyInstance, state: ServerState): void {
  const takesBody = { config: { needsKey: true, takesBody: true } } as const;
  app.post<{ Body: ReceivedBody | undefined }>('/v1/chat/completions', takesBody, async (request, reply) => {
    await answerChat(state, { request, reply, body: request.body ?? new ReceivedBody() }, CHAT);
    return reply;
  });
  app.get('/v1/models', needsKey, () => ({
    object: 'list',
    data: state.models.all.map((model) => modelObject(model, state)),
  }));
  app.get<{ Params: { '*': string } }>('/v1/models/*', needsKey, (request) => {
    const model = state.models.get(request.params['*']);
    if (model !== undefined) return modelObject(model, state);
    const facts = { status: 404, type: 'not_found_error', code: 'model_not_found', param: 'model' } as const;
    throw new ApiError('The model does not exist.', facts);
  });
}

/** What it takes is said as vLLM says it and as OpenRouter does; how long its context is, once the model was loaded. */
function modelObject({ config, contextLength }: ServedModel, { startedAt }: ServerState): object {
  return {
    id: config.name,
    object: 'model',
    created: Math.floor(startedAt.getTime() / 1000),
    owned_by: 'troupe',
    max_model_len: contextLength,
    context_length: contextLength,
    architecture: {
      modality: 'text+image->text',
      input_modalities: ['text', 'image'],
      output_modalities: ['text'],
    },
  };
}
