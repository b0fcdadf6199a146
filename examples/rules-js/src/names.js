/** A name to show, from the local part of an e-mail address: the source has none. */

const UNITS_MAX = 50;
const WITHOUT_CASE = /[\u0100-\u1fff\u2c00-\ud7ff\uf900-\ufdff]/;

/** The engine in the sandbox knows no `\p{...}`. */
const isLetter = (c) => c.toLowerCase() !== c.toUpperCase() || WITHOUT_CASE.test(c);

/** First name (or null) and last name; null where no letter is left. */
export function ofEmail(address) {
  const local = address.slice(0, address.indexOf("@")).split("+")[0];
  const name = local.replace(/\d+$/, "").replace(/^[._]+|[._]+$/g, "");
  const cut = Math.max(name.lastIndexOf("."), name.lastIndexOf("_"));
  const last = name.slice(cut + 1);
  return [...last].some(isLetter) ? { first: cut < 0 ? null : name.slice(0, cut), last } : null;
}

/** Each word begins in upper case; not longer than its column. */
export function capitalized(part) {
  let text = "";
  let units = 0;
  let start = true;
  for (const c of part) {
    units += c.length;
    if (units > UNITS_MAX) break;
    const shown = c === "." || c === "_" ? " " : c;
    text += start ? shown.toUpperCase() : shown;
    start = !isLetter(shown) && !/[0-9]/.test(shown);
  }
  return text;
}
