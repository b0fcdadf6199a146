/** What a rule may depend on apart from rows and tables. Pure. */

import { internal } from "./failure.js";
import { field } from "./fields.js";
import { Rows } from "./rows.js";
import { Settings } from "./settings.js";

/** The tables that the job grants, read-only. */
export class Tables {
  #resolve;

  constructor(resolve) {
    this.#resolve = resolve;
  }

  /**
   * The given columns of the table's row whose column `by` equals each key; nulls
   * where there is none or the key is null. Of several such rows the first counts.
   * Calls are counted: pass a whole column, `rows.column("territory_id")`.
   */
  resolve(table, by, keys, columns) {
    const found = this.#resolve(table, by, keys, columns);
    if (found.length !== columns.length) {
      throw internal("lookup", `${found.length} columns came, ${columns.length} were asked for`);
    }
    const fields = columns.map((name, position) => field(name, found[position].type));
    return new Rows(fields, found, keys.length);
  }
}

/** The job as the rule sees it; the same for the whole run and its replay. */
export class Context {
  constructor({ entity, settingsJson, source, target, seed, nowUs, tables }) {
    /** Logical name: `account`. */
    this.entity = entity;
    this.settingsJson = settingsJson;
    /** Columns that the source has. */
    this.source = source;
    /** Columns that the target has; empty when they are not known yet. */
    this.target = target;
    /** The only randomness that there is: bigint. */
    this.seed = seed;
    /** The start of the run, microseconds since 1970-01-01T00:00:00Z: the only clock. */
    this.nowUs = nowUs;
    /** The granted tables. */
    this.tables = tables;
  }

  /** The settings, to be taken one by one. */
  settings() {
    return new Settings(this.settingsJson);
  }

  /** The source has a column of that name. */
  has(name) {
    return this.sourceType(name) !== null;
  }

  /** The type of a source column; null where there is no such column. */
  sourceType(name) {
    return this.source.find((column) => column.name === name)?.type ?? null;
  }

  /**
   * A source column of numbers, asked for as the source has it: integers and
   * decimals as they are, everything else as text, so that one cell that is not a
   * number costs its row and not the job. To be read with `rows.cells`.
   */
  number(name) {
    const found = this.sourceType(name);
    return field(name, ["int64", "decimal128"].includes(found) ? found : "text");
  }

  /** A source column that says yes or no, to be read with `rows.cells` and `flag`. */
  flag(name) {
    const found = this.sourceType(name);
    return field(name, ["int64", "boolean"].includes(found) ? found : "text");
  }

  /**
   * A source column of identifiers: integers where the source has integers or whole
   * floats, else text. To be read with `rows.column`, as keys to `tables.resolve`.
   */
  identifier(name) {
    const found = this.sourceType(name);
    if (found === "int64" || found === "float64") return field(name, "int64");
    return field(name, found === "uuid" ? "uuid" : "text");
  }
}
