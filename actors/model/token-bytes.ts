/**
 * The bytes that a token stands for. A token may be a part of a character, whose text by itself nobody can tell; its bytes
 * are exact. How a vocabulary spells them is said by the `decoder` of tokenizer.json:
 *
 *     ByteLevel      a character for each byte: `Ġ` for a space (GPT-2's table)
 *     ByteFallback   text, and `<0xE2>` for single bytes
 *     Metaspace      text, with `▁` for a space; also said as `Replace`
 */
import type { TokenizerJson } from './tokenizer-json.ts';

const SPACE = ' ';
const SINGLE_BYTE = /^<0x([0-9A-F]{2})>$/;
const UTF8 = new TextEncoder();

/** The piece of a vocabulary to bytes; undefined for a vocabulary that spells tokens in another way. */
export function bytesOfPieces({
  decoder,
}: Pick<TokenizerJson, 'decoder'>): ((piece: string) => Uint8Array) | undefined {
  const steps = flattened(decoder);
  if (steps.some(({ type }) => type === 'ByteLevel')) {
    const bytes = byteLevelBytes();
    return (piece) => Uint8Array.from(piece, (character) => bytes.get(character) ?? 0);
  }
  const mark = steps.map(spaceMark).find((found) => found !== undefined);
  const falls = steps.some(({ type }) => type === 'ByteFallback');
  if (mark === undefined && !falls) return undefined;
  return (piece) => {
    const [, hex] = (falls ? SINGLE_BYTE.exec(piece) : null) ?? [];
    if (hex !== undefined) return Uint8Array.of(Number.parseInt(hex, 16));
    return UTF8.encode(mark === undefined ? piece : piece.replaceAll(mark, SPACE));
  };
}

type Step = Readonly<Record<string, unknown>>;

/** The steps of a decoder, those of sequences one by one. */
function flattened(decoder: unknown): Step[] {
  if (!isStep(decoder)) return [];
  const { decoders } = decoder;
  return Array.isArray(decoders) ? decoders.flatMap(flattened) : [decoder];
}

function isStep(value: unknown): value is Step {
  return typeof value === 'object' && value !== null;
}

/** What a step makes a space of. */
function spaceMark({ type, replacement, pattern, content }: Step): string | undefined {
  if (type === 'Metaspace') return typeof replacement === 'string' ? replacement : '▁';
  if (type !== 'Replace' || content !== SPACE || !isStep(pattern)) return undefined;
  return typeof pattern.String === 'string' ? pattern.String : undefined;
}

/**
 * GPT-2's table: bytes that print stand for themselves, the others for the characters from 256 on, in order.
 * https://github.com/openai/gpt-2/blob/master/src/encoder.py, `bytes_to_unicode`
 */
function byteLevelBytes(): Map<string, number> {
  const bytes = new Map<string, number>();
  let next = 256;
  for (let byte = 0; byte < 256; byte++) {
    const prints = (byte >= 33 && byte <= 126) || (byte >= 161 && byte !== 173);
    bytes.set(String.fromCharCode(prints ? byte : next++), byte);
  }
  return bytes;
}
