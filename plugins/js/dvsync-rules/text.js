/** Text as a CRM wants it. Pure. */

// Unicode's White_Space, which `\s` differs from by two characters.
const BLANKS = /[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/g;
const TIDY = /^[!-~]+(?: [!-~]+)*$/;
const YES = new Set(["1", "true", "yes", "y", "t"]);
const NO = new Set(["0", "false", "no", "n", "f"]);

/**
 * The text without blanks around it and with single ones inside; null where nothing
 * is left. Tabs, line ends and no-break spaces are blanks.
 */
export function tidy(cell) {
  if (cell === null || cell === undefined) return null;
  if (TIDY.test(cell)) return cell;
  const spaced = cell.replace(BLANKS, " ");
  const start = spaced.startsWith(" ") ? 1 : 0;
  const end = spaced.length - (spaced.length > start && spaced.endsWith(" ") ? 1 : 0);
  return spaced.slice(start, end) || null;
}

/**
 * A key: without any blanks, in upper case, so that ` aw00 0585` and `AW000585` are
 * the same thing. Empty for null.
 */
export function foldKey(cell) {
  return cell === null || cell === undefined ? "" : cell.replace(BLANKS, "").toUpperCase();
}

/**
 * Yes or no, of a boolean, 0, 1 or a word (`yes`, `true`, `y`, `t`, `1` and their
 * opposites, in any case); null of a null or a blank. Throws a RangeError with what
 * is neither.
 */
export function flag(cell) {
  if (cell === null || cell === undefined) return null;
  if (typeof cell === "boolean") return cell;
  const word = String(cell).trim().toLowerCase();
  if (YES.has(word)) return true;
  if (NO.has(word)) return false;
  if (word === "") return null;
  throw new RangeError(`\`${cell}\` is neither yes nor no`);
}
