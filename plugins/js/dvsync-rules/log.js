/** Lines for the host's log. It adds rule and version, and sets a limit per call. */

let write = (level, message) => console.error(`${level}: ${message}`);

/** Where lines go: the component's entry says the host's log. */
export function writeTo(other) {
  write = other;
}

/** For the rule's author. */
export const debug = (message) => write("debug", String(message));
/** Worth a line. */
export const info = (message) => write("info", String(message));
/** Something looks wrong. */
export const warn = (message) => write("warn", String(message));
/** Something is wrong. */
export const error = (message) => write("error", String(message));
