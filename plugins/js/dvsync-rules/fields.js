/** Which columns a hook reads and sets: declared once, checked by name. Pure. */

/**
 * A column that exists, or that a hook asks for. The host casts to its type what
 * it can without loss, and refuses the rest by the column's name.
 */
export function field(name, type, { required = false, nullable = true } = {}) {
  return { name, type, required, nullable };
}

/** UTF-8 text: string. */
export const text = (name, options) => field(name, "text", options);
/** Whole numbers, choices too: bigint. */
export const int64 = (name, options) => field(name, "int64", options);
/** Binary floating-point numbers: number. */
export const float64 = (name, options) => field(name, "float64", options);
/** Exact decimal numbers, money too: `{ unscaled: bigint, scale: number }`. */
export const decimal = (name, options) => field(name, "decimal128", options);
/** Yes or no: boolean. */
export const boolean = (name, options) => field(name, "boolean", options);
/** Days since 1970-01-01: number. */
export const date = (name, options) => field(name, "date32", options);
/** Microseconds since 1970-01-01T00:00:00Z: bigint. */
export const timestamp = (name, options) => field(name, "timestamp-us", options);
/** Bytes: Uint8Array. */
export const binary = (name, options) => field(name, "binary", options);
/** GUIDs: string of the form `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`. */
export const uuid = (name, options) => field(name, "uuid", options);
