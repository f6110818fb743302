/** The messages of the Effect side, for both ends. */
import { Schema } from 'effect';
import { Rpc, RpcGroup } from 'effect/rpc';

const message = { id: Schema.Number, text: Schema.String };

export const echoes = RpcGroup.make(Rpc.make('echo', { payload: message, success: Schema.Struct(message) }));
