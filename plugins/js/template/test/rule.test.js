/** The rule natively: quicker than in the sandbox, and a debugger works. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Bench, Table, assertRowsIndependent } from "../sdk/testing.js";
import rule from "../src/rule.js";

test("names are tidied and blank ones are rejected", () => {
  const table = new Table({ name: ["  Bike   World ", " "] });
  const bench = new Bench(rule, table);
  const answer = bench.transform(table);
  assert.equal(answer.cell(0, "name"), "Bike World");
  assert.equal(answer.verdict(1), "reject no-name (name): the account has no name");
  assertRowsIndependent(table, (rows) => bench.transform(rows).lines());
});
