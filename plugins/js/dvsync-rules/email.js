/**
 * E-mail addresses in one form: lower case, without blanks around. Pure.
 *
 * Checked as far as a typing error shows: one `@`, something before it, a domain
 * with a dot, no blanks or control characters, at most 100 UTF-16 units (what
 * Dataverse's e-mail columns hold).
 */

export const UNITS_MAX = 100;
const PLAIN = /^[\w.-]+@[\w-]+(?:\.[\w-]+)+$/;
// eslint-disable-next-line no-control-regex
const BAD = /[<>(),;:"[\]\\\x00-\x1f\x7f-\xa0\s\u1680]/;
const AROUND = /^[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+|[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+$/g;

/** Why a text is no address; its words follow the text in a message. */
export class EmailError extends RangeError {}

/** The address in its form. Throws an EmailError. */
export function normalize(cell) {
  const address = cell.replace(AROUND, "");
  if (PLAIN.test(address) && address.length <= UNITS_MAX) return address.toLowerCase();
  const at = address.indexOf("@");
  const domain = address.slice(at + 1);
  if (at < 1 || domain.includes("@")) throw new EmailError("has not one `@` with a name before it");
  if (!domain.includes(".") || domain.startsWith(".") || domain.endsWith(".") || domain.includes("..")) {
    throw new EmailError("has no domain after the `@`");
  }
  if (BAD.test(address)) throw new EmailError("has a character that an address cannot have");
  const lower = address.toLowerCase();
  if (lower.length > UNITS_MAX) throw new EmailError("is longer than 100 characters");
  return lower;
}
