/**
 * The rule as a component: the contract's types to and from those of this package.
 *
 * Stands on the functions of the contract that the entry module hands over (it is
 * written by `dvsync rules build`, and exports `plugin` and the hooks that the rule
 * has). Whatever a hook throws is told as a failure: a component without WASI has
 * no other way to say it.
 */

import { LEAVE } from "./answers.js";
import { Context, Tables } from "./context.js";
import { internal, told } from "./failure.js";
import { Instance } from "./instance.js";
import { writeTo } from "./log.js";
import { Column } from "./rows.js";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Calls; what is thrown becomes the contract's `failure`. */
function guarded(call) {
  try {
    return call();
  } catch (error) {
    const { kind, code, message } = told(error);
    throw { tag: kind, val: { code, message } };
  }
}

// Columns in.

const bit = (bits, row) => (bits[row >> 3] >> (row & 7)) & 1;

function cellsOf(rows, validity, read) {
  const cells = new Array(rows);
  if (validity === undefined) {
    for (let row = 0; row < rows; row++) cells[row] = read(row);
  } else {
    for (let row = 0; row < rows; row++) cells[row] = bit(validity, row) ? read(row) : null;
  }
  return cells;
}

/** One decoding for the whole column: cells are slices of it. */
function texts({ offsets, data }, validity, rows) {
  const whole = decoder.decode(data);
  if (whole.length === data.length) {
    return cellsOf(rows, validity, (row) => whole.slice(offsets[row], offsets[row + 1]));
  }
  // Where each row's bytes begin in UTF-16 units: a lead byte of four is two units.
  const starts = new Int32Array(rows + 1);
  let units = 0;
  for (let row = 0; row < rows; row++) {
    starts[row] = units;
    for (let at = offsets[row]; at < offsets[row + 1]; at++) {
      const byte = data[at];
      if (byte < 0x80 || byte >= 0xc0) units += byte >= 0xf0 ? 2 : 1;
    }
  }
  starts[rows] = units;
  return cellsOf(rows, validity, (row) => whole.slice(starts[row], starts[row + 1]));
}

function decimals({ scale, data }, validity, rows) {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  return cellsOf(rows, validity, (row) => {
    const low = view.getBigUint64(row * 16, true);
    return { unscaled: (view.getBigInt64(row * 16 + 8, true) << 64n) | low, scale };
  });
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

function uuids(data, validity, rows) {
  return cellsOf(rows, validity, (row) => {
    let text = "";
    for (let at = 0; at < 16; at++) {
      if (at === 4 || at === 6 || at === 8 || at === 10) text += "-";
      text += HEX[data[row * 16 + at]];
    }
    return text;
  });
}

const plain = (values, validity, rows) => cellsOf(rows, validity, (row) => values[row]);
const absentToNull = (values) => values.map((value) => value ?? null);

const LIFTS = {
  boolean: (values, validity, rows) => cellsOf(rows, validity, (row) => bit(values, row) === 1),
  int64: plain,
  float64: plain,
  date32: plain,
  "timestamp-us": plain,
  decimal128: decimals,
  text: texts,
  strings: absentToNull,
  binary: ({ offsets, data }, validity, rows) =>
    cellsOf(rows, validity, (row) => data.slice(offsets[row], offsets[row + 1])),
  uuid: uuids,
};

const typeOf = (kind) => (kind === "strings" ? "text" : kind);

function lift(column, rows) {
  const { tag, val } = column.values;
  const load = () => LIFTS[tag](val, column.validity, rows);
  return new Column(column.name, typeOf(tag), { rows, load, raw: column });
}

const lifted = (columns, rows) => columns.map((column) => lift(column, rows));

// Columns out.

function pack(rows, isSet) {
  const bits = new Uint8Array((rows + 7) >> 3);
  for (let row = 0; row < rows; row++) if (isSet(row)) bits[row >> 3] |= 1 << (row & 7);
  return bits;
}

/** Text as buffers; what is not text is an empty one. */
function packed(cells) {
  const rows = cells.length;
  const texts = new Array(rows);
  const offsets = new Int32Array(rows + 1);
  let units = 0;
  for (let row = 0; row < rows; row++) {
    const cell = cells[row];
    texts[row] = typeof cell === "string" ? cell : "";
    units += texts[row].length;
    offsets[row + 1] = units;
  }
  const data = encoder.encode(texts.join(""));
  if (data.length !== units) {
    let bytes = 0;
    for (let row = 0; row < rows; row++) {
      bytes += utf8Length(texts[row]);
      offsets[row + 1] = bytes;
    }
  }
  return { offsets, data };
}

/** Bytes of the text in UTF-8; half of a surrogate pair counts as U+FFFD. */
function utf8Length(text) {
  let bytes = text.length;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit < 0x80) continue;
    const pair = unit >= 0xd800 && unit < 0xdc00 && (text.charCodeAt(at + 1) & 0xfc00) === 0xdc00;
    bytes += unit < 0x800 ? 1 : 2;
    if (pair) at += 1;
  }
  return bytes;
}

function lowerDecimals(cells) {
  const scale = cells.reduce((most, cell) => Math.max(most, cell?.scale ?? 0), 0);
  const view = new DataView(new ArrayBuffer(cells.length * 16));
  cells.forEach((cell, row) => {
    if (cell === null || cell === LEAVE) return;
    const unscaled = cell.unscaled * 10n ** BigInt(scale - cell.scale);
    view.setBigUint64(row * 16, BigInt.asUintN(64, unscaled), true);
    view.setBigInt64(row * 16 + 8, BigInt.asIntN(64, unscaled >> 64n), true);
  });
  return { precision: 38, scale, data: new Uint8Array(view.buffer) };
}

function lowerBinaries(cells) {
  const parts = cells.map((cell) => (cell instanceof Uint8Array ? cell : new Uint8Array()));
  const offsets = new Int32Array(parts.length + 1);
  parts.forEach((part, row) => (offsets[row + 1] = offsets[row] + part.length));
  const data = new Uint8Array(offsets[parts.length]);
  parts.forEach((part, row) => data.set(part, offsets[row]));
  return { offsets, data };
}

function lowerUuids(cells) {
  const data = new Uint8Array(cells.length * 16);
  cells.forEach((cell, row) => {
    if (typeof cell !== "string") return;
    const digits = cell.replaceAll("-", "");
    for (let at = 0; at < 16; at++) data[row * 16 + at] = parseInt(digits.slice(at * 2, at * 2 + 2), 16);
  });
  return data;
}

const is = (cell) => cell !== null && cell !== LEAVE;

function bigints(cells) {
  const values = new BigInt64Array(cells.length);
  for (let row = 0; row < cells.length; row++) if (is(cells[row])) values[row] = BigInt(cells[row]);
  return values;
}

function numbers(values, cells) {
  for (let row = 0; row < cells.length; row++) if (is(cells[row])) values[row] = cells[row];
  return values;
}

const LOWERS = {
  boolean: (cells) => pack(cells.length, (row) => cells[row] === true),
  int64: bigints,
  float64: (cells) => numbers(new Float64Array(cells.length), cells),
  date32: (cells) => numbers(new Int32Array(cells.length), cells),
  "timestamp-us": bigints,
  decimal128: lowerDecimals,
  text: packed,
  binary: lowerBinaries,
  uuid: lowerUuids,
};

function lower({ name, type, cells, hasNulls }) {
  const validity = hasNulls ? pack(cells.length, (row) => is(cells[row])) : undefined;
  return { name, validity, values: { tag: type, val: LOWERS[type](cells) } };
}

function setting(column) {
  const { cells, hasLeft } = column;
  const leave = hasLeft ? pack(cells.length, (row) => cells[row] === LEAVE) : undefined;
  return { column: lower(column), leave };
}

const verdictsOf = (answer) => [...answer.verdicts.values()];

// Context and tables.

const ours = ({ name, type, nullable, required }) => ({ name, type: typeOf(type), nullable, required });

/**
 * The interfaces of a component. `imports` are `log` and `resolve` of the contract;
 * `project` says the name and version of a rule that does not.
 */
export function component(rule, project, { log, resolve }) {
  writeTo(log);
  let instance = null;

  const tables = new Tables((table, by, keys, columns) => {
    const { name, type, cells } = keys;
    const raw = keys.raw ?? lower({ name, type, cells, hasNulls: true });
    let found;
    try {
      found = resolve(table, by, raw, columns);
    } catch (error) {
      throw internal("lookup", String(error?.payload ?? error));
    }
    return lifted(found, keys.length);
  });

  const contextOf = (context) =>
    new Context({
      entity: context.entity,
      settingsJson: context.settings,
      source: context.source.map(ours),
      target: context.target.map(ours),
      seed: context.seed,
      nowUs: context.nowUs,
      tables,
    });

  const configured = () => {
    if (instance === null) throw internal("bad-call", "a hook was called before `configure`");
    return instance;
  };

  return {
    plugin: {
      describe: () => ({
        name: rule.name ?? project.name,
        version: rule.version ?? project.version,
        entities: rule.entities,
        settingsSchema: rule.settingsSchema,
        tables: rule.tables ?? [],
      }),
      needs: (context) =>
        guarded(() =>
          [...new Instance(rule, contextOf(context)).needs].map(([name, needs]) => ({
            name,
            readsSource: needs.reads,
            readsTarget: needs.readsTarget,
            readsCurrent: needs.readsCurrent,
            writes: needs.writes,
          })),
        ),
      configure: (context) =>
        guarded(() => {
          instance = new Instance(rule, contextOf(context));
        }),
    },
    transform: {
      apply: (rows, columns) =>
        guarded(() => {
          const output = configured().apply(rows, lifted(columns, rows));
          return { columns: [...output.columns.values()].map(setting), verdicts: verdictsOf(output) };
        }),
    },
    matching: {
      derive: (side, rows, columns) =>
        guarded(() => {
          const keys = configured().derive(side, rows, lifted(columns, rows));
          return { keys: packed(keys.finish()), verdicts: verdictsOf(keys) };
        }),
      choose: (rows, incoming, offsets, candidates) =>
        guarded(() => {
          const choices = configured().choose(
            rows, lifted(incoming, rows), offsets, lifted(candidates, offsets[rows]),
          );
          return { chosen: Int32Array.from(choices.finish()), verdicts: verdictsOf(choices) };
        }),
    },
    state: {
      decide: (rows, incoming, current) =>
        guarded(() => {
          const states = configured().state(rows, lifted(incoming, rows), lifted(current, rows));
          const { statecodes, statuscodes } = states.finish();
          const codes = (list) => list.map((code) => code ?? undefined);
          return {
            statecode: codes(statecodes),
            statuscode: codes(statuscodes),
            verdicts: verdictsOf(states),
          };
        }),
    },
    owner: {
      decide: (rows, incoming, current) =>
        guarded(() => {
          const owners = configured().owner(rows, lifted(incoming, rows), lifted(current, rows));
          const { kinds, by, keys } = owners.finish();
          return { kinds: Uint8Array.from(kinds), by, keys: packed(keys), verdicts: verdictsOf(owners) };
        }),
    },
  };
}
