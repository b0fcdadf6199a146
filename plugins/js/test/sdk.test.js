/** The package natively: typed columns, answers, settings, and the ready-made. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Output } from "../dvsync-rules/answers.js";
import { component } from "../dvsync-rules/component.js";
import {
  LEAVE, Settings, boolean, date, decimal, defineRule, email, findCountry, flag, foldKey, int64,
  phone, team, text, tidy, uuid,
} from "../dvsync-rules/index.js";
import { Bench, Table, assertRowsIndependent } from "../dvsync-rules/testing.js";

const sample = defineRule({
  entities: ["account"],
  configure(context) {
    const settings = context.settings();
    settings.text("suffix", "!");
    settings.finish();
    return context.tables;
  },
  transform: {
    needs: (context) => ({
      reads: [text("name", { required: true }), context.number("count")],
      writes: [text("name"), int64("count")],
    }),
    apply(rows, output) {
      const names = rows.text("name").map(tidy);
      names.forEach((name, row) => {
        if (name !== null) return;
        output.reject(row, "no-name", "name", "there is no name");
        output.reject(row, "second", "name", "not told");
      });
      output.set("name", names.map((name) => (name === "leave" ? LEAVE : name)));
      output.set("count", rows.cells("count"));
    },
  },
  matching: {
    needs: { reads: [text("name")], readsCurrent: [text("name"), int64("statecode")] },
    derive(side, rows, keys) {
      keys.set(rows.text("name").map(foldKey));
    },
    choose(incoming, candidates, choices) {
      const states = candidates.rows.int64("statecode");
      const only = (_, row) => candidates.only(row, (record) => states[record] === 0n);
      choices.set(incoming.text("name").map(only));
    },
  },
  state: {
    needs: { reads: [boolean("closed")], readsCurrent: [int64("statecode")] },
    decide(incoming, current, states) {
      states.set(incoming.boolean("closed").map((closed) => (closed === null ? null : Number(closed))));
    },
  },
  owner: {
    needs: { reads: [int64("seller")] },
    decide(incoming, current, owners, tables) {
      const found = tables.resolve("people", "id", incoming.column("seller"), ["mail"]);
      owners.set(found.text("mail").map((mail) => mail ?? team("sales")), "mail");
    },
  },
});

test("cells are set, cleared and left, and rows rejected once", () => {
  const table = new Table({ name: [" a  b ", null, "leave"], count: [1n, null, 3n] });
  const bench = new Bench(sample, table);
  const answer = bench.transform(table);
  assert.deepEqual([0, 1, 2].map((row) => answer.cell(row, "name")), ["a b", null, LEAVE]);
  assert.deepEqual([0, 1, 2].map((row) => answer.cell(row, "count")), [1n, null, 3n]);
  assert.equal(answer.verdict(1), "reject no-name (name): there is no name");
  assert.equal(answer.verdict(0), "");
  assertRowsIndependent(table, (rows) => bench.transform(rows).lines());
});

test("keys, choices, states and owners", () => {
  const source = new Table({ name: ["a b", null], closed: [true, null], seller: [7n, 8n], count: [1n, 2n] });
  const people = new Table({ id: [7n, 7n], mail: ["ann@example.com", "other@example.com"] });
  const bench = new Bench(sample, source, { tables: { people } });
  const keys = bench.derive("incoming", source);
  assert.deepEqual([keys.cell(0, "key"), keys.cell(1, "key")], ["AB", ""]);
  const chosen = bench.choose(source, [0, 2, 4], new Table({ statecode: [1n, 0n, 0n, 0n] }));
  assert.deepEqual([chosen.cell(0, "chosen"), chosen.cell(1, "chosen")], [1, -1]);
  const states = bench.state(source, Table.blank(2));
  assert.deepEqual([states.cell(0, "statecode"), states.cell(1, "statecode")], [1, LEAVE]);
  const owners = bench.owner(source);
  assert.deepEqual([owners.cell(0, "owner"), owners.cell(1, "owner")], ["ann@example.com", team("sales")]);
});

test("a rule that looks at other rows is found out", () => {
  const counting = defineRule({
    entities: ["account"],
    transform: {
      needs: { reads: [text("name")], writes: [int64("count")] },
      apply: (rows, output) => output.set("count", new Array(rows.length).fill(rows.length)),
    },
  });
  const table = new Table({ name: ["a", "b"] });
  const bench = new Bench(counting, table);
  assert.throws(
    () => assertRowsIndependent(table, (rows) => bench.transform(rows).lines()),
    /row 0 depends on more than itself/,
  );
});

test("an answer that cannot be is refused in words", () => {
  const output = () => new Output([text("name"), int64("count"), uuid("id"), decimal("money"), date("day")], 2);
  const cases = [
    ["wages", [1, 2], "cannot set column `wages`: the hook does not declare it"],
    ["name", ["a"], "column `name` has 1 values for 2 rows"],
    ["name", ["a", 1], "cannot set column `name`: expected text, found `1` (number) in row 1"],
    ["count", [1, 1.5], "cannot set column `count`: expected int64, found `1.5` (number) in row 1"],
    ["count", [1n << 63n, 0], "cannot set column `count`: expected int64, found `9223372036854775808` (bigint) in row 0"],
    ["id", ["x", null], "cannot set column `id`: expected uuid, found `x` (string) in row 0"],
    ["money", [1, null], "cannot set column `money`: expected decimal128, found `1` (number) in row 0"],
    ["day", [2 ** 40, null], "cannot set column `day`: expected date32, found `1099511627776` (number) in row 0"],
  ];
  for (const [name, cells, message] of cases) {
    assert.throws(() => output().set(name, cells), { message, kind: "internal" });
  }
  const twice = output();
  twice.set("name", ["a", "b"]);
  assert.throws(() => twice.set("name", ["a", "b"]), { message: "column `name` is set twice" });
});

test("a rule is checked when it is defined", () => {
  for (const [rule, words] of [
    [{ entities: [] }, /says its `entities`/],
    [{ entities: ["a"] }, /a hook at least/],
    [{ entities: ["a"], transfrom: {} }, /a rule has no `transfrom`/],
    [{ entities: ["a"], transform: {} }, /has no function `apply`/],
  ]) {
    assert.throws(() => defineRule(rule), words);
  }
});

/** A component in this process: the contract's types in and out. */
function called(rule, context = {}) {
  const made = component(rule, { name: "sample", version: "0.1.0" }, {
    log() {},
    resolve(table) {
      throw { payload: `no table \`${table}\` is granted` };
    },
  });
  const given = { entity: "account", settings: "{}", source: [], target: [], seed: 1n, nowUs: 0n, ...context };
  made.plugin.configure(given);
  return made;
}

test("columns of each type cross the boundary and come back", () => {
  const types = ["boolean", "int64", "float64", "decimal128", "date32", "timestamp-us", "text", "binary", "uuid"];
  const fields = types.map((type) => ({ name: type, type, nullable: true, required: false }));
  const echo = defineRule({
    entities: ["account"],
    transform: {
      needs: { reads: fields, writes: fields },
      apply: (rows, output) => types.forEach((type) => output.set(type, rows.cells(type))),
    },
  });
  const validity = Uint8Array.of(0b101);
  const texts = new TextEncoder().encode("aüx\u{1f600}");
  const values = {
    boolean: Uint8Array.of(0b001),
    int64: BigInt64Array.of(1n, 0n, -3n),
    float64: Float64Array.of(0.5, 0, -2),
    decimal128: { precision: 38, scale: 2, data: new Uint8Array([5, ...new Array(31).fill(0), ...new Array(16).fill(255)]) },
    date32: Int32Array.of(1, 0, -1),
    "timestamp-us": BigInt64Array.of(7n, 0n, -7n),
    text: { offsets: Int32Array.of(0, 3, 3, texts.length), data: texts },
    binary: { offsets: Int32Array.of(0, 1, 1, 3), data: Uint8Array.of(1, 2, 3) },
    uuid: Uint8Array.from({ length: 48 }, (_, at) => (at >= 16 && at < 32 ? 0 : at)),
  };
  const columns = types.map((tag) => ({ name: tag, validity, values: { tag, val: values[tag] } }));
  const output = called(echo).transform.apply(3, columns);
  assert.equal(output.columns.length, types.length);
  for (const [position, { column, leave }] of output.columns.entries()) {
    assert.equal(leave, undefined);
    assert.deepEqual(column, columns[position], types[position]);
  }
});

test("what a hook throws is told as a failure, with its line", () => {
  const failing = defineRule({
    entities: ["account"],
    transform: {
      needs: {},
      apply() {
        null.thirteen();
      },
    },
  });
  assert.throws(
    () => called(failing).transform.apply(1, []),
    ({ tag, val }) =>
      tag === "internal" && val.code === "exception" && /^TypeError: .* \(sdk\.test\.js:\d+\)$/.test(val.message),
  );
  const owner = called(sample).owner;
  const keys = { name: "seller", validity: undefined, values: { tag: "int64", val: BigInt64Array.of(7n) } };
  assert.throws(() => owner.decide(1, [keys], []), { tag: "internal" });
  assert.throws(() => called(sample, { settings: '{"sufix": "?"}' }), ({ tag, val }) =>
    tag === "misconfigured" && val.message === "settings: `sufix` is not known, but `suffix` are");
});

test("a wrong setting is told by name", () => {
  const all = (document) => {
    const settings = new Settings(JSON.stringify(document));
    settings.boolean("owners");
    settings.int32("status");
    settings.word("format", { long: 1, short: 2 }, 1);
    settings.texts("skip");
    settings.codes("codes");
    settings.finish();
  };
  for (const [document, words] of [
    [{ owner: true }, "`owner` is not known, but `owners`, `status`, `format`, `skip`, `codes` are"],
    [{ owners: "yes" }, "`owners`: expected a boolean, found text"],
    [{ status: 1.5 }, "`status`: a number is not whole, or not of 32 bits"],
    [{ status: 3_000_000_000 }, "`status`: a number is not whole, or not of 32 bits"],
    [{ format: "tall" }, "`format`: `tall` is none of `long`, `short`"],
    [{ skip: "x" }, "`skip`: expected a list of text, found text"],
    [{ codes: { a: "b" } }, "`codes`: expected a whole number, found text"],
    [[], "expected a map, found a list"],
  ]) {
    assert.throws(() => all(document), { message: `settings: ${words}`, kind: "misconfigured" });
  }
  all({ owners: null, status: -7, format: "short", skip: ["a"], codes: { k: 4 } });
});

test("text is tidied and folded, flags are read", () => {
  for (const [cell, tidied, folded] of [
    [null, null, ""], ["", null, ""], ["   ", null, ""], ["Bike Store", "Bike Store", "BIKESTORE"],
    ["  Bike \t Store\r\n", "Bike Store", "BIKESTORE"],
    ["M\u00fcnchen\u00a0\u00a0S\u00fcd", "M\u00fcnchen S\u00fcd", "M\u00dcNCHENS\u00dcD"],
  ]) {
    assert.deepEqual([tidy(cell), foldKey(cell)], [tidied, folded]);
  }
  for (const [cell, expected] of [[null, null], [" ", null], [true, true], [0n, false], ["Yes", true], ["f", false]]) {
    assert.equal(flag(cell), expected);
  }
  assert.throws(() => flag(2), /`2` is neither yes nor no/);
});

test("addresses and telephone numbers have one form", () => {
  assert.equal(email.normalize(" JOS\u00c91@Example.COM\t"), "jos\u00e91@example.com");
  for (const [cell, words] of [
    ["jon24", /has not one `@`/], ["a@b@example.com", /has not one `@`/], ["jon24@localhost", /has no domain/],
    ["jon 24@example.com", /has a character/], [`${"a".repeat(100)}@example.com`, /is longer/],
  ]) {
    assert.throws(() => email.normalize(cell), words);
  }
  const [au, uk, us] = ["Australia", "uk", "US"].map(findCountry);
  for (const [cell, country, expected] of [
    ["1 (11) 500 555-0162", au, "+61 500 555 0162"], ["398-555-0132", au, "+1 398 555 0132"],
    ["+44 (0)20 7946 0018", null, "+44 20 7946 0018"], ["020 7946 0018", uk, "+44 20 7946 0018"],
    ["3985550132 ext. 12", us, "+1 398 555 0132 x12"],
  ]) {
    assert.equal(phone.normalize(cell, country), expected);
  }
  assert.equal(phone.write("1 (11) 500 555-0162", null), "1 11 500 555 0162");
  assert.equal(phone.write("n/a", null, "international", "clear"), null);
  assert.throws(() => phone.write("n/a", us), /is not a telephone number/);
});
