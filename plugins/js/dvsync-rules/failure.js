/** Why a call as a whole failed. What is wrong with one row is a verdict. */
export class Failure extends Error {
  constructor(kind, code, message) {
    super(message);
    this.kind = kind;
    this.code = code;
  }
}

/** Settings or tables are wrong: the job stops until a person acts. */
export function misconfigured(code, message) {
  return new Failure("misconfigured", code, message);
}

/** Some row is at fault: the host narrows the call down to it. */
export function invalidInput(code, message) {
  return new Failure("invalid-input", code, message);
}

/** A fault of the rule; narrowed likewise. */
export function internal(code, message) {
  return new Failure("internal", code, message);
}

/** What a hook threw, as the host is told: its type, its words, the author's line. */
export function told(error) {
  if (error instanceof Failure) return error;
  if (!(error instanceof Error)) return internal("exception", String(error));
  const line = /([\w.-]+):(\d+)(?::\d+)?\)?$/m.exec(error.stack ?? "");
  const place = line === null ? "" : ` (${line[1]}:${line[2]})`;
  return internal("exception", `${error.name}: ${error.message}${place}`);
}
