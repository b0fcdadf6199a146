/**
 * Telephone numbers in one form. Pure.
 *
 * The form is `+61 500 555 0162`: calling code, then the groups of digits as they
 * were written, a blank between; numbers of North America always in groups of 3, 3
 * and 4. An extension follows as ` x12`. A number that has the form is not changed.
 *
 * Where the calling code comes from, in this order: a leading `+`, `00` or `011`;
 * the American shape `398-555-0132`, whatever the country; the country of the row.
 * `1 (11) 500 555-0162` is a number abroad with the American exit code cut: its
 * calling code is that of the row's country.
 */

import { countryOfDigits } from "./country.js";

const DIGITS_MAX = 20;
const GAPS = new Set(" -./\t\xa0\u2010\u2011\u2012\u2013");
const EXTENSION = /^(?:extension|extn|ext|x|#)[ .:]*([0-9]{1,8})[ .:]*$/i;

/** Why a text has no form; its words follow the text in a message. */
export class PhoneError extends RangeError {
  constructor(hasNoCountry) {
    super(hasNoCountry ? "is a telephone number of an unknown country" : "is not a telephone number");
    /** A number, of which neither it nor the row says the country. */
    this.hasNoCountry = hasNoCountry;
  }
}

const notANumber = () => new PhoneError(false);

/**
 * The number in its form or, where it has none, what `otherwise` says: `keep` keeps
 * the digits where only the country is unknown, `clear` gives null, `reject` throws
 * a PhoneError, as `keep` does for what is no number.
 */
export function write(cell, country, format = "international", otherwise = "keep") {
  try {
    return normalize(cell, country, format);
  } catch (error) {
    if (!(error instanceof PhoneError)) throw error;
    if (otherwise === "clear") return null;
    if (otherwise === "keep" && error.hasNoCountry) return digitsOnly(cell);
    throw error;
  }
}

/** The number in its form: `international`, or `e164` without blanks. Throws a PhoneError. */
export function normalize(cell, country, format = "international") {
  const number = read(cell);
  const { code, start } = place(number, country);
  const national = number.digits.length - start;
  const length = code === null || code === 1 ? national : national + String(code).length;
  if (code === 1 ? length !== 10 : length < 7 || length > 15) throw notANumber();
  const blanks = format === "international";
  // North America: groups of 3, 3 and 4, from the first national digit.
  const starts = code === 1 ? 0b1001000 << start : number.starts;
  return `+${code ?? ""}${blanks && code !== null ? " " : ""}${written(number, start, blanks ? starts : 0)}`;
}

function digitsOnly(cell) {
  const number = read(cell);
  if (number.digits.length < 7 || number.digits.length > 15) throw notANumber();
  return written(number, 0, number.starts);
}

/** Bit `i` of `starts`: digit `i` begins a group; of `bracketed`: in parentheses. */
function read(cell) {
  const number = { digits: "", starts: 0, bracketed: 0, plus: false, extension: "" };
  let gap = true;
  let bracket = false;
  for (let position = 0; position < cell.length; position++) {
    const c = cell[position];
    if (c >= "0" && c <= "9") {
      const count = number.digits.length;
      if (count === DIGITS_MAX) throw notANumber();
      if (gap) number.starts |= 1 << count;
      if (gap && bracket) number.bracketed |= 1 << count;
      number.digits += c;
      gap = false;
    } else if (GAPS.has(c)) {
      gap = true;
    } else if (c === "+" && number.digits === "" && !number.plus) {
      number.plus = true;
    } else if (c === "(") {
      gap = true;
      bracket = true;
    } else if (c === ")") {
      dropBracketedZero(number);
      gap = true;
      bracket = false;
    } else if ("xXeE#".includes(c) && number.digits !== "") {
      const extension = EXTENSION.exec(cell.slice(position));
      if (extension === null) throw notANumber();
      number.extension = extension[1];
      break;
    } else {
      throw notANumber();
    }
  }
  if (number.digits === "") throw notANumber();
  return number;
}

/** `+44 (0)20`: the zero is not dialled after the calling code. */
function dropBracketedZero(number) {
  const last = number.digits.length - 1;
  const bit = 1 << last;
  if (last > 0 && number.bracketed & bit && number.digits[last] === "0") {
    number.digits = number.digits.slice(0, last);
    number.starts &= ~bit;
    number.bracketed &= ~bit;
  }
}

/** Calling code, and where the national number begins. */
function place({ digits, starts, bracketed, plus }, country) {
  if (plus) return abroad(digits, 0);
  if (digits.startsWith("00")) return abroad(digits, 2);
  if (digits.startsWith("011") && (starts & 0b1110) === 0b1000) return abroad(digits, 3);
  // `1 (11) ...`: groups begin at 0, 1 and 3, the second in parentheses.
  if (digits.startsWith("111") && (starts & 0b1111) === 0b1011 && bracketed & 0b10) {
    if (country === null || country.callingCode === 1) throw new PhoneError(true);
    return within(digits, country, 3);
  }
  if (digits.length === 10 && starts === 0b1001001 && digits[0] !== "0") return { code: 1, start: 0 };
  if (digits.length === 11 && starts === 0b10010011 && digits[0] === "1") return { code: 1, start: 1 };
  if (country === null) throw new PhoneError(true);
  if (country.callingCode === 1) {
    return { code: 1, start: digits.length === 11 && digits[0] === "1" ? 1 : 0 };
  }
  return within(digits, country, 0);
}

function abroad(digits, start) {
  // No calling code begins with a zero: an exit code came before it again.
  while (digits[start] === "0") start += 1;
  const found = countryOfDigits(digits.slice(start));
  if (found === null) return { code: null, start: Math.min(start, digits.length) };
  return { code: found.country.callingCode, start: start + found.length };
}

function within(digits, country, start) {
  const zero = country.trunkZero && digits[start] === "0";
  return { code: country.callingCode, start: start + (zero ? 1 : 0) };
}

function written({ digits, extension }, start, starts) {
  let text = "";
  for (let position = start; position < digits.length; position++) {
    if (position > start && (starts >> position) & 1) text += " ";
    text += digits[position];
  }
  return extension === "" ? text : `${text}${starts === 0 ? "" : " "}x${extension}`;
}
