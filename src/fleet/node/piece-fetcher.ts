/**
 * The images of a request that are too large for its message: asked for piece by piece, so that a node has no more on its
 * way than it can take, and a piece that is lost is asked for again.
 */
import type { FleetConnection } from '../connection.ts';
import { badMessage, fleetUnreachable } from '../fleet-errors.ts';
import { PIECE_MS } from '../fleet-times.ts';
import { encodeJson } from '../wire/codec.ts';
import type { Piece } from '../wire/messages.ts';

/** Of one request at once: enough to fill the way, and no more than a megabyte of it. */
const WINDOW = 4;
const TRIES = 5;

/** Bytes of a piece, for a server's limit of a message. */
export function pieceBytes(maxPayload: number): number {
  return Math.max(1024, Math.min(256 * 1024, Math.floor(maxPayload / 2)));
}

/**
 * @param bytes of all images together
 * @throws TroupeError `FLEET_MESSAGE_INVALID`, `FLEET_UNREACHABLE`; the signal's reason when it aborts
 */
export async function fetchPieces(
  connection: FleetConnection,
  subject: string,
  { attempt, bytes }: { readonly attempt: string; readonly bytes: number },
  signal: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  const whole = new Uint8Array(bytes);
  const size = pieceBytes(connection.maxPayload);
  let next = 0;
  const fetchSome = async () => {
    while (next < bytes) {
      const offset = next;
      next += size;
      const piece = { attempt, offset, length: Math.min(size, bytes - offset) };
      whole.set(await fetchPiece(connection, subject, piece, signal), offset);
    }
  };
  await Promise.all(Array.from({ length: WINDOW }, fetchSome));
  return whole;
}

async function fetchPiece(
  connection: FleetConnection,
  subject: string,
  piece: Piece,
  signal: AbortSignal,
): Promise<Uint8Array> {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    await connection.ready(signal);
    const reply = await connection.request(subject, encodeJson(piece), PIECE_MS);
    signal.throwIfAborted();
    if ('data' in reply) {
      if (reply.data.length === piece.length) return reply.data;
      throw badMessage('has another size than was said');
    }
    if (reply.unanswered === 'nobody') break;
  }
  throw fleetUnreachable();
}
