// Classes of characters that protocols share, as tables over bytes and as tests over text. It knows no grammar.

/** Byte to its lower case where it may stand in a token (RFC 9110 section 5.6.2), to 0 elsewhere. */
export const TOKEN_LOWER: Uint8Array = new Uint8Array(256);
for (const character of "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
  TOKEN_LOWER[character.charCodeAt(0)] = character.toLowerCase().charCodeAt(0);

/** Byte to 1 where it may stand in a field's value (RFC 9110 section 5.5: VCHAR, SP, HTAB, obs-text), to 0 elsewhere. */
export const FIELD_VALUE: Uint8Array = new Uint8Array(256).fill(1, 0x20, 0x7f).fill(1, 0x80);
FIELD_VALUE[0x09] = 1;

/** Byte to the value of its hexadecimal digit, to 255 elsewhere. */
export const HEX_DIGIT: Uint8Array = new Uint8Array(256).fill(255);
for (let digit = 0; digit < 16; digit++) {
  const character = digit.toString(16);
  HEX_DIGIT[character.charCodeAt(0)] = digit;
  HEX_DIGIT[character.toUpperCase().charCodeAt(0)] = digit;
}

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
// oxlint-disable-next-line no-control-regex
const NOT_FIELD_VALUE = /[^\t\x20-\x7e\x80-\xff]/;

/** Whether the text is a token: at least one character, none of them a blank, a control or a separator (RFC 9110 section 5.6.2). */
export function isToken(text: string): boolean {
  return TOKEN.test(text);
}

/** Whether the text may be a field's value: no control but the tab, and nothing beyond U+00FF (RFC 9110 section 5.5). */
export function isFieldValue(text: string): boolean {
  return !NOT_FIELD_VALUE.test(text);
}
