/**
 * A configured rule, and its hooks as functions from columns to answers. Pure: the
 * component and the tests call the same.
 */

import { Choices, Keys, Output, Owners, States } from "./answers.js";
import { internal } from "./failure.js";
import { Candidates, Rows } from "./rows.js";
import { hooksOf } from "./rule.js";

const NEEDS = { reads: [], readsTarget: [], readsCurrent: [], writes: [] };

export class Instance {
  #rule;
  #state;
  #source;
  #target;

  constructor(rule, context) {
    this.#rule = rule;
    if (rule.configure === undefined) context.settings().finish();
    else this.#state = rule.configure(context);
    this.#source = new Set(context.source.map((field) => field.name));
    // Without a target's columns all are there.
    const target = context.target.map((field) => field.name);
    this.#target = target.length === 0 ? null : new Set(target);
    /** Hook to what it reads and sets. */
    this.needs = new Map(
      hooksOf(rule).map((hook) => {
        const { needs = {} } = rule[hook];
        const asked = typeof needs === "function" ? needs(context, this.#state) : needs;
        return [hook, { ...NEEDS, ...asked }];
      }),
    );
  }

  declared(hook) {
    const needs = this.needs.get(hook);
    if (needs === undefined) throw internal("no-hook", `the rule does not export \`${hook}\``);
    return needs;
  }

  #incoming({ reads, readsTarget }, columns, rows) {
    check(columns, [...reads, ...readsTarget]);
    const target = new Rows(readsTarget, columns.slice(reads.length), rows, { present: this.#target });
    return new Rows(reads, columns.slice(0, reads.length), rows, { target, present: this.#source });
  }

  #current({ readsCurrent }, columns, rows) {
    check(columns, readsCurrent);
    return new Rows(readsCurrent, columns, rows, { present: this.#target });
  }

  /** `transform.apply` */
  apply(rows, columns) {
    const needs = this.declared("transform");
    const output = new Output(needs.writes, rows);
    this.#rule.transform.apply(this.#incoming(needs, columns, rows), output, this.#state);
    return output;
  }

  /** `matching.derive` */
  derive(side, rows, columns) {
    const needs = this.declared("matching");
    const read =
      side === "incoming" ? this.#incoming(needs, columns, rows) : this.#current(needs, columns, rows);
    const keys = new Keys(rows);
    this.#rule.matching.derive(side, read, keys, this.#state);
    return keys;
  }

  /** `matching.choose` */
  choose(rows, incoming, offsets, candidates) {
    const needs = this.declared("matching");
    const found = new Candidates(offsets, this.#current(needs, candidates, offsets[rows]));
    const choices = new Choices(rows);
    if (this.#rule.matching.choose !== undefined) {
      this.#rule.matching.choose(this.#incoming(needs, incoming, rows), found, choices, this.#state);
      return choices;
    }
    for (let row = 0; row < rows; row++) {
      const { start, end } = found.of(row);
      choices.reject(row, "ambiguous-key", null, `the key meets ${end - start} records`);
    }
    choices.set(new Array(rows).fill(null));
    return choices;
  }

  /** `state.decide` */
  state(rows, incoming, current) {
    const needs = this.declared("state");
    const states = new States(rows);
    const read = [this.#incoming(needs, incoming, rows), this.#current(needs, current, rows)];
    this.#rule.state.decide(...read, states, this.#state);
    return states;
  }

  /** `owner.decide` */
  owner(rows, incoming, current) {
    const needs = this.declared("owner");
    const owners = new Owners(rows);
    const read = [this.#incoming(needs, incoming, rows), this.#current(needs, current, rows)];
    this.#rule.owner.decide(...read, owners, this.#state);
    return owners;
  }
}

/** They are the ones that were asked for. */
function check(columns, fields) {
  if (columns.length !== fields.length) {
    throw internal("bad-call", `${columns.length} columns came, ${fields.length} are declared`);
  }
  columns.forEach((column, position) => {
    const field = fields[position];
    if (column.name !== field.name || column.type !== field.type) {
      throw internal(
        "bad-call",
        `column \`${column.name}\` (${column.type}) came where \`${field.name}\` (${field.type}) is declared`,
      );
    }
  });
}
