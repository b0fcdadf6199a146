/**
 * What hooks answer: columns, keys, choices, states, owners, verdicts. Pure.
 *
 * Promises: an answer that the host would refuse (an undeclared column, another
 * type, another number of rows) is refused here, with words that name it.
 */

import { internal } from "./failure.js";

/** A cell that stays as the target has it; null clears it. */
export const LEAVE = Symbol("LEAVE");

const bad = (message) => internal("bad-output", message);

/** Verdicts of one call, one at most for each row: the first one counts. */
class Answer {
  verdicts = new Map();

  constructor(rows) {
    this.rows = rows;
  }

  /**
   * The row becomes a dead letter. `code` is stable and machine-readable, `column`
   * the source column that is wrong (or null), `message` for a person: it shows the
   * wrong value.
   */
  reject(row, code, column, message) {
    this.#judge({ row, kind: "reject", code, column: column ?? undefined, message: String(message) });
  }

  /** The row is left out on purpose. */
  drop(row, code, column, message) {
    this.#judge({ row, kind: "drop", code, column: column ?? undefined, message: String(message) });
  }

  /** The row is tried again later. */
  defer(row, code, column, message) {
    this.#judge({ row, kind: "defer", code, column: column ?? undefined, message: String(message) });
  }

  #judge(verdict) {
    const { row } = verdict;
    if (row >= 0 && row < this.rows && !this.verdicts.has(row)) this.verdicts.set(row, verdict);
  }

  sameRows(what, list) {
    if (list.length !== this.rows) throw bad(`${list.length} ${what} for ${this.rows} rows`);
  }
}

const isInteger = (cell) =>
  typeof cell === "bigint" ? BigInt.asIntN(64, cell) === cell : Number.isSafeInteger(cell);
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const MAX_128 = 10n ** 38n;

/** What a column of each type takes. */
const TAKES = {
  text: (cell) => typeof cell === "string",
  int64: isInteger,
  float64: (cell) => typeof cell === "number",
  decimal128: (cell) =>
    typeof cell?.unscaled === "bigint" &&
    cell.unscaled < MAX_128 && cell.unscaled > -MAX_128 &&
    Number.isInteger(cell.scale) && Math.abs(cell.scale) <= 38,
  boolean: (cell) => typeof cell === "boolean",
  date32: (cell) => cell === (cell | 0),
  "timestamp-us": isInteger,
  binary: (cell) => cell instanceof Uint8Array,
  uuid: (cell) => typeof cell === "string" && UUID.test(cell),
};

/** What `transform` answers: the columns that it sets. One that is not set stays. */
export class Output extends Answer {
  #writes;
  columns = new Map();

  constructor(writes, rows) {
    super(rows);
    this.#writes = new Map(writes.map((field) => [field.name, field]));
  }

  /** The hook declared that it writes the column. */
  writes(name) {
    return this.#writes.has(name);
  }

  /** Sets a target column: a cell for each row, null to clear it, `LEAVE` to leave it. */
  set(name, cells) {
    const field = this.#writes.get(name);
    if (field === undefined) throw bad(`cannot set column \`${name}\`: the hook does not declare it`);
    if (this.columns.has(name)) throw bad(`column \`${name}\` is set twice`);
    if (cells.length !== this.rows) {
      throw bad(`column \`${name}\` has ${cells.length} values for ${this.rows} rows`);
    }
    const takes = TAKES[field.type];
    let nulls = 0;
    let left = 0;
    for (let row = 0; row < cells.length; row++) {
      const cell = cells[row];
      if (cell === null) nulls += 1;
      else if (cell === LEAVE) left += 1;
      else if (!takes(cell)) {
        const found = `\`${String(cell)}\` (${typeof cell})`;
        throw bad(`cannot set column \`${name}\`: expected ${field.type}, found ${found} in row ${row}`);
      }
    }
    this.columns.set(name, { name, type: field.type, cells, hasNulls: nulls + left > 0, hasLeft: left > 0 });
  }
}

/** What `matching` derives: a key a row. */
export class Keys extends Answer {
  #keys = null;

  /** A key for each row. Equal keys match; an empty one matches nothing. */
  set(keys) {
    this.sameRows("keys", keys);
    const other = keys.find((key) => typeof key !== "string");
    if (other !== undefined) throw bad(`a key is text, found ${typeof other}`);
    this.#keys = keys;
  }

  /** The keys; the hook must have set them. */
  finish() {
    return given(this.#keys, "keys");
  }
}

/** What `matching` chooses: one of a row's candidates, or none. */
export class Choices extends Answer {
  #chosen = null;

  /** For each row the position among its candidates, from 0; null: none of them. */
  set(positions) {
    this.sameRows("choices", positions);
    this.#chosen = positions.map((position) => position ?? -1);
  }

  /** The choices; the hook must have set them. */
  finish() {
    return given(this.#chosen, "choices");
  }
}

/** What `state` decides: state and status reason of each row. */
export class States extends Answer {
  #states = null;

  /**
   * For each row the `statecode`, and the `statuscode` that belongs to it; null
   * leaves it as it is, or takes what goes with the state.
   */
  set(statecodes, statuscodes = new Array(statecodes.length).fill(null)) {
    this.sameRows("states", statecodes);
    this.sameRows("status reasons", statuscodes);
    this.#states = { statecodes, statuscodes };
  }

  /** The states; the hook must have set them. */
  finish() {
    return given(this.#states, "states");
  }
}

/** The team of that key, for `owners.set`. */
export function team(key) {
  return { team: key };
}

/** What `owner` decides: a user, a team, or as it is. */
export class Owners extends Answer {
  #owners = null;
  #by = "id";

  /**
   * For each row the key of a user, `team(key)`, or null: as it is. `by` says how
   * keys name the owner: `id`, or a column that is unique among users or teams
   * (`internalemailaddress`).
   */
  set(owners, by = "id") {
    this.sameRows("owners", owners);
    this.#owners = owners;
    this.#by = by;
  }

  /** Kinds (0 = as it is, 1 = a user, 2 = a team), how keys name, and keys. */
  finish() {
    const owners = given(this.#owners, "owners");
    const keys = owners.map((owner) => owner?.team ?? owner ?? "");
    const other = keys.find((key) => typeof key !== "string");
    if (other !== undefined) throw bad(`an owner is text or a team, found ${typeof other}`);
    const kind = (owner, key) => (key === "" ? 0 : typeof owner === "string" ? 1 : 2);
    return { kinds: owners.map((owner, row) => kind(owner, keys[row])), by: this.#by, keys };
  }
}

function given(found, what) {
  if (found === null) throw bad(`the hook did not set ${what}`);
  return found;
}
