/** The rows of a call: columns by name, checked against what the hook declared. */

import { internal } from "./failure.js";

/** The cells of a column, null where there is no value; read when first asked for. */
export class Column {
  #cells;
  #load;

  constructor(name, type, { cells = null, rows = 0, load = null, raw = null }) {
    this.name = name;
    this.type = type;
    this.length = cells === null ? rows : cells.length;
    this.raw = raw;
    this.#cells = cells;
    this.#load = load;
  }

  /** Text of one's own, as keys to a table. */
  static ofText(name, cells) {
    return new Column(name, "text", { cells });
  }

  /** One a row: leave the array as it is, others read it too. */
  get cells() {
    if (this.#cells === null) {
      const cells = this.#load === null ? new Array(this.length).fill(null) : this.#load();
      if (cells.length !== this.length) {
        throw internal("bad-call", `column \`${this.name}\`: ${cells.length} cells, ${this.length} rows`);
      }
      this.#cells = cells;
    }
    return this.#cells;
  }
}

/**
 * The rows of a call. Each method gives an array with a cell for each row, null
 * where there is none. A column that the hook has not declared is a fault of the
 * rule and says so; a declared one that the source has not is all null, and
 * `isAbsent`.
 */
export class Rows {
  #columns = new Map();
  #present;

  constructor(fields, columns, length, { target = null, present = null } = {}) {
    fields.forEach((field, position) => this.#columns.set(field.name, columns[position]));
    this.length = length;
    this.#present = present;
    /** Columns of the target rows as mapped and transformed so far: `readsTarget`. */
    this.target = target ?? (fields.length === 0 ? this : new Rows([], [], length));
  }

  /** The hook declared that it reads the column. */
  has(name) {
    return this.#columns.has(name);
  }

  /** The source has no such column: its cells are null. */
  isAbsent(name) {
    return this.#present !== null && !this.#present.has(name);
  }

  /** A column as it came, of whatever type: keys to `tables.resolve`. */
  column(name) {
    const column = this.#columns.get(name);
    if (column === undefined) {
      throw internal("undeclared-column", `cannot read column \`${name}\`: the hook does not declare it`);
    }
    return column;
  }

  /** The cells of a column of whatever type it was declared as. */
  cells(name) {
    return this.column(name).cells;
  }

  #typed(name, type) {
    const column = this.column(name);
    if (column.type !== type) {
      throw internal(
        "wrong-type",
        `cannot read column \`${name}\`: expected ${type}, found ${column.type}`,
      );
    }
    return column.cells;
  }

  /** A column of text. */
  text(name) {
    return this.#typed(name, "text");
  }

  /** A column of whole numbers: bigint. */
  int64(name) {
    return this.#typed(name, "int64");
  }

  /** The same as numbers; one beyond 2^53 fails its row. */
  integer(name) {
    return this.int64(name).map((cell, row) => {
      if (cell === null) return null;
      const number = Number(cell);
      if (!Number.isSafeInteger(number)) {
        throw internal("too-large", `column \`${name}\`, row ${row}: ${cell} is beyond 2^53`);
      }
      return number;
    });
  }

  /** A column of binary floating-point numbers. */
  float64(name) {
    return this.#typed(name, "float64");
  }

  /** A column of exact decimal numbers: `{ unscaled, scale }`. */
  decimal(name) {
    return this.#typed(name, "decimal128");
  }

  /** A column of yes and no. */
  boolean(name) {
    return this.#typed(name, "boolean");
  }

  /** A column of days since 1970-01-01: numbers. */
  date(name) {
    return this.#typed(name, "date32");
  }

  /** A column of microseconds since 1970-01-01T00:00:00Z: bigint. */
  timestamp(name) {
    return this.#typed(name, "timestamp-us");
  }

  /** A column of bytes: Uint8Array. */
  binary(name) {
    return this.#typed(name, "binary");
  }

  /** A column of GUIDs, as text. */
  uuid(name) {
    return this.#typed(name, "uuid");
  }
}

/** The candidates of the rows whose key met several records. */
export class Candidates {
  #offsets;

  constructor(offsets, rows) {
    this.#offsets = offsets;
    /** All candidates of all rows: columns as `readsCurrent`. */
    this.rows = rows;
  }

  /** Which of `rows` are those of a row: from `start` up to before `end`. */
  of(row) {
    return { start: this.#offsets[row], end: this.#offsets[row + 1] };
  }

  /**
   * The position of the only candidate of a row that fits, as `choices.set` takes
   * it; null when none or several do. `fits` gets the record's row in `rows`.
   */
  only(row, fits) {
    const { start, end } = this.of(row);
    let found = null;
    for (let record = start; record < end; record++) {
      if (!fits(record)) continue;
      if (found !== null) return null;
      found = record - start;
    }
    return found;
  }
}
