/**
 * Makes a component of a rule in JavaScript: `build.mjs PROJECT WORK OUT TOOL`.
 *
 * For `dvsync rules build`, which has put the contract into `WORK/wit` and installed
 * `TOOL` (the main module of componentize-js). Imports the rule natively to see
 * which hooks it has, makes the world of these hooks and the entry module, and
 * prints what it built as JSON. Exit code 2: the rule cannot be loaded; 3: `TOOL`
 * has failed. What is wrong stands on stderr.
 */

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";

const HOOKS = ["transform", "matching", "state", "owner"];

function fail(code, words) {
  process.stderr.write(`${String(words).trim()}\n`);
  process.exit(code);
}

async function manifest(project) {
  try {
    const about = JSON.parse(await readFile(join(project, "package.json"), "utf8"));
    for (const key of ["name", "version"]) {
      if (typeof about[key] !== "string") throw new TypeError(`it has no \`${key}\``);
    }
    return about;
  } catch (error) {
    return fail(2, `cannot read \`package.json\`: ${error.message}`);
  }
}

async function loaded(main) {
  try {
    const { default: rule } = await import(pathToFileURL(main));
    const hooks = HOOKS.filter((hook) => rule?.[hook] !== undefined);
    if (hooks.length === 0) throw new TypeError("its default export is no rule: see `defineRule`");
    return { rule, hooks };
  } catch (error) {
    const lines = String(error.stack ?? error).split("\n");
    return fail(2, lines.filter((line) => !line.includes("(node:") && !line.includes(" node:")).join("\n"));
  }
}

const [project, work, out, tool] = process.argv.slice(2).map((path) => resolve(path));
const about = await manifest(project);
const { root = ".", sdk = "sdk" } = about.dvsync ?? {};
const main = join(project, about.main ?? "src/rule.js");
const { rule, hooks } = await loaded(main);
const { name, version } = about;

const exported = hooks.map((hook) => `    export ${hook};\n`).join("");
await writeFile(
  join(work, "wit", "authored.wit"),
  `package dvsync:rules@0.1.0;\n\nworld authored {\n    include rule;\n${exported}}\n`,
);
await mkdir(join(work, "entry"), { recursive: true });
const entry = join(work, "entry", "entry.js");
const from = (path) => {
  const found = relative(join(work, "entry"), path).replaceAll("\\", "/");
  return JSON.stringify(found.startsWith(".") ? found : `./${found}`);
};
await writeFile(
  entry,
  `// Written by \`dvsync rules build\`.
import { log } from "dvsync:rules/log@0.1.0";
import { resolve } from "dvsync:rules/lookups@0.1.0";
import { component } from ${from(join(project, sdk, "component.js"))};
import rule from ${from(main)};

export const { ${["plugin", ...hooks].join(", ")} } = component(
  rule, ${JSON.stringify({ name, version })}, { log, resolve },
);
`,
);

// Modules are found below the working folder, and errors name them from there.
process.chdir(join(project, root));
try {
  const { componentize } = await import(pathToFileURL(tool));
  const { component } = await componentize({
    sourcePath: entry,
    witPath: join(work, "wit"),
    worldName: "authored",
    disableFeatures: ["stdio", "random", "clocks", "http", "fetch-event"],
  });
  await writeFile(out, component);
} catch (error) {
  fail(3, error.message);
}
const isOutside = relative(project, join(project, sdk)).startsWith("..");
const folders = isOutside ? [resolve(project, sdk)] : [];
process.stdout.write(JSON.stringify({ name: rule.name ?? name, folders }));
