/**
 * The bytes that a token stands for. A token may be a part of a character, whose text by itself nobody can tell; its bytes
 * are exact. How a vocabulary spells them is said by the `decoder` of tokenizer.json:
 *
 *     ByteLevel      a character for each byte: `Ġ` for a space (GPT-2's table)
 *     ByteFallback   text, and `<0xE2>` for single bytes
 *     Metaspace      text, with `▁` for a space; also said as `Replace`
 *     WordPiece      text, `##` before what goes on with a word
 */
import type { TokenizerJson } from './tokenizer-json.ts';

const utf8 = new TextEncoder();

/** How a family of tokenizers writes bytes in its vocabulary. */
export type Spelling = (piece: string) => Uint8Array;

export function spelling(json: TokenizerJson): Spelling {
  const steps = decoderSteps(json.decoder);
  const types = new Set(steps.map(({ type }) => type));
  if (types.has('ByteLevel')) return byteLevel();
  if (types.has('WordPiece'))
    return (piece) => utf8.encode(piece.startsWith('##') ? piece.slice(2) : ` ${piece}`);
  const replaced = steps
    .filter(({ type }) => type === 'Replace')
    .map(({ pattern, content }) => [pattern, content] as const);
  const marks = steps
    .filter(({ type }) => type === 'Metaspace')
    .map(({ replacement }) => [replacement, ' '] as const);
  const byteFallback = types.has('ByteFallback') || json.model.byte_fallback === true;
  return (piece) => {
    const byte = byteFallback ? /^<0x([\dA-Fa-f]{2})>$/.exec(piece) : null;
    if (byte !== null) return Uint8Array.of(Number.parseInt(byte[1] ?? '', 16));
    let text = piece;
    for (const [mark, content] of [...replaced, ...marks]) text = text.replaceAll(mark, content);
    return utf8.encode(text);
  };
}

interface DecoderStep {
  readonly type: string;
  readonly pattern: string;
  readonly content: string;
  readonly replacement: string;
}

/** The steps of a decoder, those in sequences too; what a step lacks is ''. */
function decoderSteps(decoder: unknown): DecoderStep[] {
  if (typeof decoder !== 'object' || decoder === null) return [];
  const fields: Readonly<Record<string, unknown>> = { ...decoder };
  if (Array.isArray(fields.decoders)) return fields.decoders.flatMap(decoderSteps);
  const text = (value: unknown): string => (typeof value === 'string' ? value : '');
  const pattern = typeof fields.pattern === 'object' && fields.pattern !== null ? { ...fields.pattern } : {};
  return [
    {
      type: text(fields.type),
      pattern: text('String' in pattern ? pattern.String : ''),
      content: text(fields.content),
      replacement: text(fields.replacement) || '▁',
    },
  ];
}

/**
 * Byte-level vocabularies write each byte as a printable character: those of Latin-1 that are printable stand for
 * themselves, the others follow from U+0100 on, in order (GPT-2's `bytes_to_unicode`).
 */
function byteLevel(): Spelling {
  const bytes = new Map<string, number>();
  let next = 0x100;
  for (let byte = 0; byte < 256; byte++) {
    const printable = (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
    bytes.set(String.fromCharCode(printable ? byte : next++), byte);
  }
  return (piece) => {
    const text = new Uint8Array(piece.length);
    for (let i = 0; i < piece.length; i++) {
      const byte = bytes.get(piece[i] ?? '');
      if (byte === undefined) return utf8.encode(piece);
      text[i] = byte;
    }
    return text;
  };
}
