/**
 * What a JavaScript rule author imports: declared columns, rows, answers, settings.
 *
 * Promises: no IO, no clock, no randomness; what the host would refuse is refused
 * here, with words that name it. The same functions exist natively, so a rule is
 * tested by `node --test` with `testing.js`. What a rule says of a row depends on
 * that row, the context and the granted tables only.
 */

export { LEAVE, team } from "./answers.js";
export { findCountry } from "./country.js";
export * as email from "./email.js";
export { Failure, internal, invalidInput, misconfigured } from "./failure.js";
export { binary, boolean, date, decimal, field, float64, int64, text, timestamp, uuid } from "./fields.js";
export * as log from "./log.js";
export * as phone from "./phone.js";
export { Column } from "./rows.js";
export { defineRule } from "./rule.js";
export { Settings } from "./settings.js";
export { flag, foldKey, tidy } from "./text.js";
