/**
 * The formats of strings, as patterns that a whole string matches. Each describes a part of what the format allows which
 * every validator takes: a second 60, a quoted local part or a comment in an address is not written.
 */

import type { CharDfa } from '../automata/char-dfa.ts';
import { regexLanguage } from '../regex/regex-language.ts';
import { WorkBudget } from '../work-budget.ts';

const BYTE = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)';
const IPV4 = `${BYTE}(?:\\.${BYTE}){3}`;
const GROUP = '[\\da-fA-F]{1,4}';
const IPV6 = [
  `(?:${GROUP}:){7}${GROUP}`,
  ...[1, 2, 3, 4, 5, 6].map((left) => `(?:${GROUP}:){1,${left}}(?::${GROUP}){1,${7 - left}}`),
  `${GROUP}:(?::${GROUP}){1,6}`,
  `:(?::${GROUP}){1,7}`,
  `(?:${GROUP}:){1,7}:`,
  '::',
  `(?:${GROUP}:){6}${IPV4}`,
  `::(?:${GROUP}:){0,5}${IPV4}`,
].join('|');

/** Leap years have a 29th of February: divisible by 4, and by 400 where by 100. */
const LEAP = '(?:\\d\\d(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)';
const DATE = `(?:\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|02-(?:0[1-9]|1\\d|2[0-8]))|${LEAP}-02-29)`;
const CLOCK = '(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d{1,9})?';
const ZONE = '(?:Z|[+-](?:[01]\\d|2[0-3]):[0-5]\\d)';
const DURATION_TIME = 'T(?:\\d{1,9}H(?:\\d{1,9}M(?:\\d{1,9}S)?)?|\\d{1,9}M(?:\\d{1,9}S)?|\\d{1,9}S)';
const DURATION_DATE = '(?:\\d{1,9}Y(?:\\d{1,9}M(?:\\d{1,9}D)?)?|\\d{1,9}M(?:\\d{1,9}D)?|\\d{1,9}D)';

/** No two hyphens in a row: a label with them in its third place is an encoded one, which has further rules. */
const LABEL = '[A-Za-z\\d](?:-?[A-Za-z\\d]){0,30}';
const SHORT_LABEL = '[A-Za-z\\d](?:-?[A-Za-z\\d]){0,11}';
/** Names have at most 253 characters: four labels, or ten short ones. */
const HOSTNAME = `(?:${LABEL}(?:\\.${LABEL}){0,3}|${SHORT_LABEL}(?:\\.${SHORT_LABEL}){0,9})`;
const LOCAL_PART = "[A-Za-z\\d!#$%&'*+/=?^_`{|}~-]+(?:\\.[A-Za-z\\d!#$%&'*+/=?^_`{|}~-]+)*";
const EMAIL = `(?=[^@]{1,64}@)${LOCAL_PART}@${LABEL}(?:\\.${LABEL}){1,2}`;

const PERCENT = '%[\\da-fA-F]{2}';
const PATH_CHARACTER = `(?:[A-Za-z\\d._~!$&'()*+,;=:@-]|${PERCENT})`;
const AUTHORITY = `(?:(?:[A-Za-z\\d._~!$&'()*+,;=:-]|${PERCENT})*@)?(?:\\[(?:${IPV6})\\]|(?:[A-Za-z\\d._~!$&'()*+,;=-]|${PERCENT})+)(?::\\d{1,5})?`;
const TAIL = `(?:\\?(?:${PATH_CHARACTER}|[/?])*)?(?:#(?:${PATH_CHARACTER}|[/?])*)?`;
const URI = `[A-Za-z][A-Za-z\\d+.-]*:(?://${AUTHORITY}(?:/${PATH_CHARACTER}*)*|/?${PATH_CHARACTER}+(?:/${PATH_CHARACTER}*)*)${TAIL}`;
const RELATIVE = `(?:/(?:${PATH_CHARACTER}+(?:/${PATH_CHARACTER}*)*)?|(?:[A-Za-z\\d._~!$&'()*+,;=@-]|${PERCENT})+(?:/${PATH_CHARACTER}*)*)?${TAIL}`;

/** What a URI with a bound of its length begins with, and each character behind its slash: path or query. */
export const LONG_URI_HEAD =
  '[A-Za-z][A-Za-z\\d+.-]{0,9}://[A-Za-z\\d](?:[.-]?[A-Za-z\\d]){0,31}(?::\\d{1,5})?';
export const LONG_URI_REST: readonly (readonly [number, number])[] = [
  [0x21, 0x21],
  [0x24, 0x24],
  [0x26, 0x3b],
  [0x3d, 0x3d],
  [0x3f, 0x5a],
  [0x5f, 0x5f],
  [0x61, 0x7a],
  [0x7e, 0x7e],
];

/** Pattern of each format. */
export const FORMATS: Readonly<Record<string, string>> = {
  date: DATE,
  time: `${CLOCK}${ZONE}`,
  'date-time': `${DATE}T${CLOCK}${ZONE}`,
  duration: `P(?:${DURATION_DATE}(?:${DURATION_TIME})?|${DURATION_TIME}|\\d{1,9}W)`,
  email: EMAIL,
  hostname: HOSTNAME,
  ipv4: IPV4,
  ipv6: IPV6,
  uri: URI,
  'uri-reference': `(?:${URI}|${RELATIVE})`,
  uuid: '[\\da-fA-F]{8}-[\\da-fA-F]{4}-[\\da-fA-F]{4}-[\\da-fA-F]{4}-[\\da-fA-F]{12}',
  'json-pointer': '(?:/(?:[^/~]|~[01])*)*',
  'relative-json-pointer': '(?:0|[1-9]\\d{0,8})(?:#|(?:/(?:[^/~]|~[01])*)*)',
};

/** Formats that say how a number is kept, not which there are; nothing is held to them. */
export const NUMBER_FORMATS: ReadonlySet<string> = new Set(['float', 'double', 'decimal']);

/** Bounds of the formats of integers. */
export const INTEGER_FORMATS: Readonly<Record<string, readonly [number, number]>> = {
  int32: [-2147483648, 2147483647],
  uint32: [0, 4294967295],
  int64: [-(2 ** 63), 2 ** 63 - 1024],
  uint64: [0, 2 ** 64 - 2048],
};

const languages = new Map<string, CharDfa>();

/** The strings of a format, made once. */
export function formatLanguage(format: string): CharDfa | undefined {
  const pattern = Object.hasOwn(FORMATS, format) ? FORMATS[format] : undefined;
  if (pattern === undefined) return undefined;
  let dfa = languages.get(format);
  if (dfa === undefined) {
    dfa = regexLanguage(pattern, 'whole', format, new WorkBudget(format));
    languages.set(format, dfa);
  }
  return dfa;
}
