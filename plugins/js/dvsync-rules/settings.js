/**
 * The job's settings for a rule, taken one by one, each with what it is otherwise.
 *
 * Promises: a setting of another type is refused by name with what was found; a
 * setting that nobody asked for is refused with the names that are known.
 */

import { findCountry } from "./country.js";
import { misconfigured } from "./failure.js";

const bad = (message) => misconfigured("bad-settings", `settings: ${message}`);
const join = (words) => [...words].map((word) => `\`${word}\``).join(", ");

function nameOf(value) {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  return { string: "text", boolean: "a boolean", number: "a number", object: "a map" }[typeof value];
}

/**
 * A settings document. Take what the rule knows, then `finish`. A null is like a
 * setting that is not there: each method gives `otherwise` then.
 */
export class Settings {
  #left;
  #known = [];

  constructor(json) {
    let document;
    try {
      document = JSON.parse(json.trim() === "" ? "{}" : json);
    } catch (error) {
      throw bad(`no JSON: ${error.message}`);
    }
    if (nameOf(document) !== "a map") throw bad(`expected a map, found ${nameOf(document)}`);
    this.#left = new Map(Object.entries(document));
  }

  #take(name, what, kind) {
    this.#known.push(name);
    const value = this.#left.get(name) ?? null;
    this.#left.delete(name);
    if (value !== null && nameOf(value) !== kind) {
      throw bad(`\`${name}\`: expected ${what}, found ${nameOf(value)}`);
    }
    return value;
  }

  #map(name, what, kind, read = (value) => value) {
    const entries = this.#take(name, "a map", "a map");
    if (entries === null) return null;
    return new Map(
      Object.entries(entries).map(([key, value]) => {
        if (nameOf(value) !== kind) {
          throw bad(`\`${name}\`: expected ${what}, found ${nameOf(value)}`);
        }
        return [key, read(value)];
      }),
    );
  }

  /** Text. */
  text(name, otherwise = null) {
    return this.#take(name, "text", "text") ?? otherwise;
  }

  /** Yes or no. */
  boolean(name, otherwise = false) {
    return this.#take(name, "a boolean", "a boolean") ?? otherwise;
  }

  /** A whole number of 32 bits: choices, states. */
  int32(name, otherwise = null) {
    const value = this.#take(name, "a whole number", "a number");
    return value === null ? otherwise : int32(name, value);
  }

  /** One of several words, with what each stands for: `{ word: meaning }`. */
  word(name, words, otherwise) {
    const value = this.text(name);
    if (value === null) return otherwise;
    if (!Object.hasOwn(words, value)) {
      throw bad(`\`${name}\`: \`${value}\` is none of ${join(Object.keys(words))}`);
    }
    return words[value];
  }

  /** A country, by English name or ISO 3166 alpha-2 code. */
  country(name) {
    const value = this.text(name);
    return value === null ? null : country(name, value);
  }

  /** Countries by text: a Map. */
  countries(name) {
    return this.#map(name, "text in the map", "text", (value) => country(name, value)) ?? new Map();
  }

  /** A list of texts. */
  texts(name) {
    const items = this.#take(name, "a list of text", "a list") ?? [];
    const other = items.find((item) => typeof item !== "string");
    if (other !== undefined) {
      throw bad(`\`${name}\`: expected text in the list, found ${nameOf(other)}`);
    }
    return items;
  }

  /** Texts by text: a Map; `otherwise` is `{ key: text }`. */
  words(name, otherwise = {}) {
    return this.#map(name, "text in the map", "text") ?? new Map(Object.entries(otherwise));
  }

  /** Codes of the source with the number that stands for each in the target: a Map. */
  codes(name, otherwise = {}) {
    const codes = this.#map(name, "a whole number", "a number", (value) => int32(name, value));
    return codes ?? new Map(Object.entries(otherwise));
  }

  /** All settings have been taken: one that nobody asked for is misspelt. */
  finish() {
    for (const name of this.#left.keys()) {
      const known = this.#known.length === 0 ? "there are none" : `but ${join(this.#known)} are`;
      throw bad(`\`${name}\` is not known, ${known}`);
    }
  }
}

function int32(name, value) {
  if (value !== (value | 0)) throw bad(`\`${name}\`: a number is not whole, or not of 32 bits`);
  return value;
}

function country(name, value) {
  const found = findCountry(value);
  if (found === null) throw bad(`\`${name}\`: no country \`${value}\` is known`);
  return found;
}
