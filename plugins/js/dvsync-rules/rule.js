/** What a rule author defines, checked once. Pure. */

/** In the order of a run, with the functions that each must have. */
export const HOOKS = { transform: ["apply"], matching: ["derive"], state: ["decide"], owner: ["decide"] };

const KNOWN = new Set([
  "name", "version", "entities", "settingsSchema", "tables", "configure", ...Object.keys(HOOKS),
]);

/**
 * Checks a rule and gives it back. Name and version are those of the project
 * (`package.json`) unless the rule says others.
 */
export function defineRule(rule) {
  const unknown = Object.keys(rule).find((key) => !KNOWN.has(key));
  if (unknown !== undefined) {
    throw new TypeError(`a rule has no \`${unknown}\`, but ${[...KNOWN].join(", ")}`);
  }
  if (!Array.isArray(rule.entities) || rule.entities.length === 0) {
    throw new TypeError("a rule says its `entities`: logical names, or `*`");
  }
  const hooks = hooksOf(rule);
  if (hooks.length === 0) {
    throw new TypeError("a rule has a hook at least: `transform`, `matching`, `state` or `owner`");
  }
  for (const hook of hooks) {
    for (const name of HOOKS[hook]) {
      if (typeof rule[hook][name] !== "function") {
        throw new TypeError(`the hook \`${hook}\` has no function \`${name}\``);
      }
    }
  }
  return rule;
}

/** Hooks that the rule has, in the order of a run. */
export function hooksOf(rule) {
  return Object.keys(HOOKS).filter((hook) => rule[hook] !== undefined);
}
