/** What a JavaScript or TypeScript rule author imports: see docs/rules-js.md. */

/** The type in which a column crosses the boundary: the contract's words. */
export type Type =
  | "boolean" | "int64" | "float64" | "decimal128" | "date32" | "timestamp-us"
  | "text" | "binary" | "uuid";

/** A column that exists, or that a hook asks for. */
export interface Field {
  name: string;
  type: Type;
  nullable: boolean;
  required: boolean;
}

export interface FieldOptions {
  /** The job cannot run without the column. */
  required?: boolean;
  nullable?: boolean;
}

/** An exact number: `unscaled` times 10 to the power of `-scale`. */
export interface Decimal {
  unscaled: bigint;
  scale: number;
}

export function field(name: string, type: Type, options?: FieldOptions): Field;
export function text(name: string, options?: FieldOptions): Field;
export function int64(name: string, options?: FieldOptions): Field;
export function float64(name: string, options?: FieldOptions): Field;
export function decimal(name: string, options?: FieldOptions): Field;
export function boolean(name: string, options?: FieldOptions): Field;
export function date(name: string, options?: FieldOptions): Field;
export function timestamp(name: string, options?: FieldOptions): Field;
export function binary(name: string, options?: FieldOptions): Field;
export function uuid(name: string, options?: FieldOptions): Field;

/** What one hook reads and sets. The host passes what is listed, no more. */
export interface Needs {
  /** Columns of the source row. */
  reads?: Field[];
  /** Columns of the target row as mapped and transformed so far. */
  readsTarget?: Field[];
  /** Columns of the record that the target holds now. */
  readsCurrent?: Field[];
  /** Target columns that the hook may set (`transform` only). */
  writes?: Field[];
}

/** The cells of a column, null where there is no value. */
export class Column {
  readonly name: string;
  readonly type: Type;
  readonly length: number;
  readonly cells: readonly unknown[];
  /** Text of one's own, as keys to a table. */
  static ofText(name: string, cells: (string | null)[]): Column;
}

/** The rows of a call: an array with a cell for each row. */
export interface Rows {
  readonly length: number;
  /** Columns of the target rows as mapped and transformed so far: `readsTarget`. */
  readonly target: Rows;
  /** The hook declared that it reads the column. */
  has(name: string): boolean;
  /** The source has no such column: its cells are null. */
  isAbsent(name: string): boolean;
  column(name: string): Column;
  cells(name: string): readonly any[];
  text(name: string): readonly (string | null)[];
  int64(name: string): readonly (bigint | null)[];
  /** `int64` as numbers; one beyond 2^53 fails its row. */
  integer(name: string): (number | null)[];
  float64(name: string): readonly (number | null)[];
  decimal(name: string): readonly (Decimal | null)[];
  boolean(name: string): readonly (boolean | null)[];
  /** Days since 1970-01-01. */
  date(name: string): readonly (number | null)[];
  /** Microseconds since 1970-01-01T00:00:00Z. */
  timestamp(name: string): readonly (bigint | null)[];
  binary(name: string): readonly (Uint8Array | null)[];
  uuid(name: string): readonly (string | null)[];
}

/** The candidates of the rows whose key met several records. */
export interface Candidates {
  /** All candidates of all rows: columns as `readsCurrent`. */
  readonly rows: Rows;
  of(row: number): { start: number; end: number };
  /** The position of the only candidate that fits; null when none or several do. */
  only(row: number, fits: (record: number) => boolean): number | null;
}

/** A cell that stays as the target has it; null clears it. */
export const LEAVE: unique symbol;
export type Cell =
  | string | bigint | number | boolean | Decimal | Uint8Array | null | typeof LEAVE;

/** Verdicts: one for each row at most, the first counts. */
export interface Verdicts {
  reject(row: number, code: string, column: string | null, message: string): void;
  drop(row: number, code: string, column: string | null, message: string): void;
  defer(row: number, code: string, column: string | null, message: string): void;
}

export interface Output extends Verdicts {
  /** The hook declared that it writes the column. */
  writes(name: string): boolean;
  /** Sets a target column: a cell for each row. */
  set(name: string, cells: readonly Cell[]): void;
}

export interface Keys extends Verdicts {
  /** A key for each row; an empty one matches nothing. */
  set(keys: readonly string[]): void;
}

export interface Choices extends Verdicts {
  /** For each row the position among its candidates; null: none of them. */
  set(positions: readonly (number | null)[]): void;
}

export interface States extends Verdicts {
  /** Null leaves a state as it is. */
  set(statecodes: readonly (number | null)[], statuscodes?: readonly (number | null)[]): void;
}

export interface Team {
  team: string;
}
/** The team of that key, for `owners.set`. */
export function team(key: string): Team;

export interface Owners extends Verdicts {
  /** For each row the key of a user, a team, or null: as it is. */
  set(owners: readonly (string | Team | null)[], by?: string): void;
}

/** The tables that the job grants, read-only. */
export interface Tables {
  /** Pass a whole column of keys: calls are counted. */
  resolve(table: string, by: string, keys: Column, columns: string[]): Rows;
}

export interface Country {
  readonly callingCode: number;
  readonly trunkZero: boolean;
}
/** By English name or ISO 3166 alpha-2 code, in any case. */
export function findCountry(name: string): Country | null;

/** A settings document: take what the rule knows, then `finish`. */
export class Settings {
  constructor(json: string);
  text(name: string): string | null;
  text(name: string, otherwise: string): string;
  boolean(name: string, otherwise?: boolean): boolean;
  int32(name: string): number | null;
  int32(name: string, otherwise: number): number;
  word<T>(name: string, words: Record<string, T>, otherwise: T): T;
  country(name: string): Country | null;
  countries(name: string): Map<string, Country>;
  texts(name: string): string[];
  words(name: string, otherwise?: Record<string, string>): Map<string, string>;
  codes(name: string, otherwise?: Record<string, number>): Map<string, number>;
  finish(): void;
}

/** The job as the rule sees it; the same for the whole run and its replay. */
export interface Context {
  readonly entity: string;
  readonly source: readonly Field[];
  /** Empty when the target's columns are not known yet. */
  readonly target: readonly Field[];
  readonly seed: bigint;
  readonly nowUs: bigint;
  readonly tables: Tables;
  settings(): Settings;
  has(name: string): boolean;
  sourceType(name: string): Type | null;
  number(name: string): Field;
  flag(name: string): Field;
  identifier(name: string): Field;
}

export type NeedsOf<S> = Needs | ((context: Context, state: S) => Needs);

/** A rule. What `configure` gives is the last argument of each hook. */
export interface Rule<S = undefined> {
  /** Those of the project (`package.json`) unless said here. */
  name?: string;
  version?: string;
  /** Logical names, or `*`. */
  entities: string[];
  /** JSON Schema of the settings, if there are settings. */
  settingsSchema?: string;
  /** Tables that the job must grant. */
  tables?: string[];
  configure?(context: Context): S;
  transform?: { needs: NeedsOf<S>; apply(rows: Rows, output: Output, state: S): void };
  matching?: {
    needs: NeedsOf<S>;
    derive(side: "incoming" | "current", rows: Rows, keys: Keys, state: S): void;
    choose?(incoming: Rows, candidates: Candidates, choices: Choices, state: S): void;
  };
  state?: { needs: NeedsOf<S>; decide(incoming: Rows, current: Rows, states: States, state: S): void };
  owner?: { needs: NeedsOf<S>; decide(incoming: Rows, current: Rows, owners: Owners, state: S): void };
}

/** Checks a rule and gives it back. */
export function defineRule<S = undefined>(rule: Rule<S>): Rule<S>;

/** Why a call as a whole failed. */
export class Failure extends Error {
  readonly kind: "misconfigured" | "invalid-input" | "internal";
  readonly code: string;
}
export function misconfigured(code: string, message: string): Failure;
export function invalidInput(code: string, message: string): Failure;
export function internal(code: string, message: string): Failure;

/** Without blanks around and single ones inside; null where nothing is left. */
export function tidy(cell: string | null): string | null;
/** Without blanks, in upper case. */
export function foldKey(cell: string | null): string;
/** Yes or no; throws a RangeError with what is neither. */
export function flag(cell: unknown): boolean | null;

export namespace email {
  class EmailError extends RangeError {}
  function normalize(cell: string): string;
}

export namespace phone {
  type Format = "international" | "e164";
  type Otherwise = "keep" | "clear" | "reject";
  class PhoneError extends RangeError {
    readonly hasNoCountry: boolean;
  }
  function write(cell: string, country: Country | null, format?: Format, otherwise?: Otherwise): string | null;
  function normalize(cell: string, country: Country | null, format?: Format): string;
}

export namespace log {
  function debug(message: string): void;
  function info(message: string): void;
  function warn(message: string): void;
  function error(message: string): void;
}
