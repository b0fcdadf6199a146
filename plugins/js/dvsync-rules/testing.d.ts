/** A rule natively: a table in, cells and verdicts out, without a sandbox. */

import type { Cell, Rule, Type } from "./index.js";

export class Table {
  constructor(columns: Record<string, readonly unknown[]>, types?: Record<string, Type>);
  readonly rows: number;
  static blank(rows: number): Table;
  take(rows: number[]): Table;
}

export class Answer {
  readonly rows: number;
  cell(row: number, column: string): Cell;
  verdict(row: number): string;
  lines(): string[];
}

export interface BenchOptions {
  settings?: Record<string, unknown>;
  tables?: Record<string, Table>;
  entity?: string;
  target?: Table;
}

export class Bench {
  constructor(rule: Rule<any>, source: Table, options?: BenchOptions);
  transform(source: Table, target?: Table): Answer;
  derive(side: "incoming" | "current", rows: Table): Answer;
  choose(source: Table, offsets: number[], records: Table): Answer;
  state(source: Table, current: Table): Answer;
  owner(source: Table, current?: Table): Answer;
}

export function assertRowsIndependent(table: Table, lines: (table: Table) => string[]): void;
