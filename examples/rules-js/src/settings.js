/** What a job may set, and what it is otherwise. */

import { misconfigured } from "../../../plugins/js/dvsync-rules/index.js";
import { TARGETS, TELEPHONES } from "./columns.js";

const same = (...words) => Object.fromEntries(words.map((word) => [word, word]));

/** The settings document, read. Every setting is optional. */
export function readSettings(context) {
  const given = context.settings();
  const settings = {
    defaultCountry: given.country("default_country"),
    territoryCountries: given.countries("territory_countries"),
    phoneFormat: given.word("phone_format", same("international", "e164"), "international"),
    badPhone: given.word("bad_phone", same("keep", "clear", "reject"), "keep"),
    phoneTypes: given.words("phone_types", { 1: "mobilephone", 2: "telephone2", 3: "telephone1" }),
    clearsBadEmail: given.word("bad_email", { reject: false, clear: true }, false),
    names: given.boolean("names", true),
    skip: given.texts("skip"),
    ownerByTerritory: given.boolean("owner_by_territory", true),
    fallbackOwner: given.text("fallback_owner"),
  };
  given.finish();
  onlyKnown("skip", settings.skip, TARGETS);
  onlyKnown("phone_types", [...settings.phoneTypes.values()], TELEPHONES);
  return settings;
}

function onlyKnown(setting, names, known) {
  const other = names.find((name) => !known.includes(name));
  if (other === undefined) return;
  const words = known.join("`, `");
  throw misconfigured(
    "bad-settings",
    `settings: \`${setting}\`: the rule does not write \`${other}\`, but \`${words}\``,
  );
}
