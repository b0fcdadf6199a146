/**
 * A rule natively: a table in, cells and verdicts out, without a sandbox, through
 * the same checks as in one.
 */

import { LEAVE } from "./answers.js";
import { Context, Tables } from "./context.js";
import { internal } from "./failure.js";
import { field } from "./fields.js";
import { Instance } from "./instance.js";
import { Column } from "./rows.js";

const TYPES = { string: "text", bigint: "int64", number: "float64", boolean: "boolean" };

/**
 * Columns by name: `{ name: ["Ann", null] }`. A column's type is that of its cells
 * (text, bigint as int64, number as float64, boolean, Uint8Array as binary), or the
 * one that `types` says; text where all are null.
 */
export class Table {
  constructor(columns, types = {}) {
    this.columns = columns;
    this.types = types;
    const lengths = new Set(Object.values(columns).map((cells) => cells.length));
    if (lengths.size > 1) throw new TypeError(`columns of ${[...lengths].join(", ")} cells`);
    this.rows = [...lengths][0] ?? 0;
  }

  /** Rows without columns: records that none of the rows met. */
  static blank(rows) {
    const table = new Table({});
    table.rows = rows;
    return table;
  }

  type(name) {
    if (this.types[name] !== undefined) return this.types[name];
    const cell = (this.columns[name] ?? []).find((found) => found !== null) ?? "";
    return TYPES[typeof cell] ?? (cell instanceof Uint8Array ? "binary" : "decimal128");
  }

  fields() {
    return Object.keys(this.columns).map((name) => field(name, this.type(name)));
  }

  /** Some of its rows. */
  take(rows) {
    const take = ([name, cells]) => [name, rows.map((row) => cells[row])];
    const table = new Table(Object.fromEntries(Object.entries(this.columns).map(take)), this.types);
    table.rows = rows.length;
    return table;
  }

  /** The columns as the host would pass them: cast to text where text is asked for. */
  read(fields) {
    return fields.map(({ name, type }) => {
      const cells = this.columns[name] ?? new Array(this.rows).fill(null);
      const isOfType = this.type(name) === type || cells.every((cell) => cell === null);
      if (!isOfType && type !== "text") throw new TypeError(`column \`${name}\` is not of the type ${type}`);
      const cast = (cell) => (cell === null ? null : String(cell));
      return new Column(name, type, { cells: isOfType ? cells : cells.map(cast) });
    });
  }
}

/** What a hook answered, by row. */
export class Answer {
  #verdicts;

  constructor(rows, cells, verdicts) {
    this.rows = rows;
    this.cells = cells;
    this.#verdicts = verdicts;
  }

  /** A cell; `LEAVE` where it stays as the target has it. */
  cell(row, column) {
    return this.cells[column] === undefined ? LEAVE : this.cells[column][row];
  }

  /** `reject code (column): message`, or empty. */
  verdict(row) {
    const found = this.#verdicts.get(row);
    if (found === undefined) return "";
    const column = found.column === undefined ? "" : ` (${found.column})`;
    return `${found.kind} ${found.code}${column}: ${found.message}`;
  }

  /** Each row as one line. */
  lines() {
    const shown = (cell) => (typeof cell === "object" && cell !== null ? JSON.stringify(cell) : String(cell));
    return Array.from({ length: this.rows }, (_, row) => {
      const set = Object.entries(this.cells)
        .filter(([, cells]) => cells[row] !== LEAVE)
        .map(([name, cells]) => `${name}=${shown(cells[row])}`);
      return [...set.sort(), this.verdict(row)].join(" | ");
    });
  }
}

/** A rule bound to the columns of a table. */
export class Bench {
  #instance;
  #granted;

  constructor(rule, source, { settings = {}, tables = {}, entity = rule.entities[0], target = null } = {}) {
    this.#granted = tables;
    const context = new Context({
      entity,
      settingsJson: JSON.stringify(settings),
      source: source.fields(),
      target: target?.fields() ?? [],
      seed: 1n,
      nowUs: 1_767_225_600_000_000n,
      tables: new Tables((...question) => this.#resolve(...question)),
    });
    this.#instance = new Instance(rule, context);
  }

  #incoming(hook, source, target = Table.blank(source.rows)) {
    const { reads, readsTarget } = this.#instance.declared(hook);
    return [...source.read(reads), ...target.read(readsTarget)];
  }

  #current(hook, current) {
    return current.read(this.#instance.declared(hook).readsCurrent);
  }

  #resolve(table, by, keys, columns) {
    const granted = this.#granted[table];
    if (granted === undefined) {
      const names = Object.keys(this.#granted).map((name) => `\`${name}\``).join(", ") || "none";
      throw internal("lookup", `no table \`${table}\` is granted, but ${names}`);
    }
    const first = new Map();
    granted.columns[by].forEach((key, row) => {
      if (key !== null && !first.has(String(key))) first.set(String(key), row);
    });
    const at = keys.cells.map((key) => (key === null ? undefined : first.get(String(key))));
    return columns.map((name) => {
      const cells = at.map((row) => (row === undefined ? null : granted.columns[name][row]));
      return new Column(name, granted.type(name), { cells });
    });
  }

  /** Calls the hook `transform`. */
  transform(source, target) {
    const output = this.#instance.apply(source.rows, this.#incoming("transform", source, target));
    const cells = Object.fromEntries([...output.columns.values()].map(({ name, cells }) => [name, cells]));
    return new Answer(source.rows, cells, output.verdicts);
  }

  /** Calls `matching` for the key of each row (`incoming` or `current`): `cell(row, "key")`. */
  derive(side, rows) {
    const columns = side === "incoming" ? this.#incoming("matching", rows) : this.#current("matching", rows);
    const keys = this.#instance.derive(side, rows.rows, columns);
    return new Answer(rows.rows, { key: keys.finish() }, keys.verdicts);
  }

  /** Chooses among records: `cell(row, "chosen")`, -1 = none. */
  choose(source, offsets, records) {
    const candidates = this.#current("matching", records);
    const incoming = this.#incoming("matching", source);
    const choices = this.#instance.choose(source.rows, incoming, offsets, candidates);
    return new Answer(source.rows, { chosen: choices.finish() }, choices.verdicts);
  }

  /** Calls `state`: `statecode` and `statuscode`. */
  state(source, current) {
    const incoming = this.#incoming("state", source);
    const states = this.#instance.state(source.rows, incoming, this.#current("state", current));
    const { statecodes, statuscodes } = states.finish();
    const codes = (list) => list.map((code) => code ?? LEAVE);
    const cells = { statecode: codes(statecodes), statuscode: codes(statuscodes) };
    return new Answer(source.rows, cells, states.verdicts);
  }

  /** Calls `owner`: `cell(row, "owner")` is a user's key, a team or `LEAVE`. */
  owner(source, current = Table.blank(source.rows)) {
    const incoming = this.#incoming("owner", source);
    const owners = this.#instance.owner(source.rows, incoming, this.#current("owner", current));
    const { kinds, keys } = owners.finish();
    const found = keys.map((key, row) => [LEAVE, key, { team: key }][kinds[row]]);
    return new Answer(source.rows, { owner: found }, owners.verdicts);
  }
}

/**
 * What is said of a row depends on that row only: judged whole, one by one, in
 * reverse and in halves. `lines` judges a table: `(t) => bench.transform(t).lines()`.
 */
export function assertRowsIndependent(table, lines) {
  const rows = Array.from({ length: table.rows }, (_, row) => row);
  const half = rows.length >> 1;
  const whole = lines(table);
  const ways = {
    alone: rows.flatMap((row) => lines(table.take([row]))),
    "in reverse": lines(table.take([...rows].reverse())).reverse(),
    "in halves": [...lines(table.take(rows.slice(0, half))), ...lines(table.take(rows.slice(half)))],
  };
  for (const [way, found] of Object.entries(ways)) {
    for (const row of rows) {
      if (whole[row] !== found[row]) {
        throw new Error(
          `row ${row} depends on more than itself: \`${whole[row]}\` in one call, \`${found[row]}\` ${way}`,
        );
      }
    }
  }
}
