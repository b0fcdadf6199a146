/**
 * Rules for contacts: customers with an address, a telephone number and an e-mail
 * address. The rule `contact` that dvsync ships, in JavaScript; its README says what
 * each column and setting means.
 */

// `../sdk/index.js` in a project of your own.
import {
  LEAVE, defineRule, email, findCountry, flag, foldKey, int64, phone, text, tidy,
} from "../../../plugins/js/dvsync-rules/index.js";
import {
  COUNTRY, CUSTOMER_NUMBER, EMAIL, PHONE, PHONE_TYPE, TELEPHONES, TERRITORY, TEXTS,
} from "./columns.js";
import { capitalized, ofEmail } from "./names.js";
import { readSettings } from "./settings.js";

const trimmed = (cell) => (cell === null ? "" : cell.trim());

function setWhereWritten(output, name, cells) {
  if (output.writes(name)) output.set(name, cells);
}

/** The target columns that the source's numbers may go to. */
function telephones(context, { phoneTypes, skip }) {
  if (!context.has(PHONE)) return [];
  const used = context.has(PHONE_TYPE) ? [...phoneTypes.values()] : [];
  return TELEPHONES.filter(
    (name) => (name === TELEPHONES[0] || used.includes(name)) && !skip.includes(name),
  );
}

/** A column that the source has not is neither read nor written. */
function transformNeeds(context, { settings }) {
  const reads = new Set();
  const writes = ["externaluseridentifier"];
  if (context.has(EMAIL)) {
    reads.add(EMAIL);
    writes.push("emailaddress1", ...(settings.names ? ["firstname", "lastname"] : []));
  }
  const numbers = telephones(context, settings);
  if (numbers.length > 0) {
    [PHONE, PHONE_TYPE, COUNTRY].forEach((name) => reads.add(name));
    if (settings.territoryCountries.size > 0) reads.add(TERRITORY);
    writes.push(...numbers);
  }
  for (const [source, target] of TEXTS) {
    if (context.has(source) && !settings.skip.includes(target)) {
      reads.add(source);
      writes.push(target);
    }
  }
  const there = [...reads].filter((name) => context.has(name));
  return {
    reads: [text(CUSTOMER_NUMBER, { required: true }), ...there.map((name) => text(name))],
    writes: writes.filter((name) => !settings.skip.includes(name)).map((name) => text(name)),
  };
}

/** The address, and the name that shows in it. */
function writeEmail(rows, output, settings) {
  const first = [];
  const last = [];
  const addresses = rows.text(EMAIL).map((cell, row) => {
    let address = null;
    const written = trimmed(cell);
    if (written !== "") {
      try {
        address = email.normalize(written);
      } catch (error) {
        if (!(error instanceof email.EmailError)) throw error;
        if (!settings.clearsBadEmail) {
          output.reject(row, "bad-email", EMAIL, `\`${written}\` ${error.message}`);
        }
      }
    }
    // What cannot be derived stays as somebody may have typed it.
    const name = address === null ? null : ofEmail(address);
    first.push(name === null || name.first === null ? LEAVE : capitalized(name.first));
    last.push(name === null ? LEAVE : capitalized(name.last));
    return address;
  });
  setWhereWritten(output, "emailaddress1", addresses);
  setWhereWritten(output, "firstname", first);
  setWhereWritten(output, "lastname", last);
}

/** The country of a row, by address or else by territory. */
function countries(rows, { defaultCountry, territoryCountries }) {
  const names = rows.has(COUNTRY) ? rows.text(COUNTRY) : null;
  const territories = rows.has(TERRITORY) ? rows.text(TERRITORY) : null;
  return (row) => {
    const name = names === null ? "" : trimmed(names[row]);
    if (name !== "") return findCountry(name) ?? defaultCountry;
    const territory = territories === null ? "" : trimmed(territories[row]);
    return territoryCountries.get(territory) ?? defaultCountry;
  };
}

/**
 * A row has one number of one kind: its column is set, or cleared where the row has
 * no number; the others stay.
 */
function writeTelephones(rows, output, settings) {
  const columns = new Map(TELEPHONES.map((name) => [name, new Array(rows.length).fill(LEAVE)]));
  const kinds = rows.has(PHONE_TYPE) ? rows.text(PHONE_TYPE) : null;
  const countryOf = countries(rows, settings);
  rows.text(PHONE).forEach((cell, row) => {
    const kind = kinds === null ? "" : trimmed(kinds[row]);
    const column = kind === "" ? TELEPHONES[0] : settings.phoneTypes.get(kind);
    if (column === undefined) {
      const known = [...settings.phoneTypes.keys()].join("`, `");
      output.reject(row, "unknown-code", PHONE_TYPE, `\`${kind}\` is none of \`${known}\``);
      return;
    }
    const number = trimmed(cell);
    let written = null;
    if (number !== "") {
      try {
        written = phone.write(number, countryOf(row), settings.phoneFormat, settings.badPhone);
      } catch (error) {
        if (!(error instanceof phone.PhoneError)) throw error;
        output.reject(row, "bad-phone", PHONE, `\`${number}\` ${error.message}`);
      }
    }
    columns.get(column)[row] = written;
  });
  for (const [name, cells] of columns) setWhereWritten(output, name, cells);
}

function isYes(cell) {
  try {
    return flag(cell) === true;
  } catch {
    return false;
  }
}

export default defineRule({
  entities: ["contact"],
  tables: ["salespeople"],

  configure(context) {
    const settings = readSettings(context);
    const ownsByTerritory = settings.ownerByTerritory && context.has(TERRITORY);
    return { settings, ownsByTerritory, tables: context.tables };
  },

  transform: {
    needs: transformNeeds,

    apply(rows, output, { settings }) {
      // The order is that in which faults of one row are told: the first counts.
      const numbers = rows.text(CUSTOMER_NUMBER).map(tidy);
      numbers.forEach((number, row) => {
        if (number !== null) return;
        const message = `\`${CUSTOMER_NUMBER}\` is empty`;
        output.reject(row, "no-customer-number", CUSTOMER_NUMBER, message);
      });
      setWhereWritten(output, "externaluseridentifier", numbers);
      if (rows.has(EMAIL)) writeEmail(rows, output, settings);
      if (rows.has(PHONE)) writeTelephones(rows, output, settings);
      for (const [source, target] of TEXTS) {
        if (output.writes(target)) output.set(target, rows.text(source).map(tidy));
      }
    },
  },

  matching: {
    needs: {
      reads: [text(CUSTOMER_NUMBER, { required: true })],
      readsCurrent: [text("externaluseridentifier"), int64("statecode")],
    },

    derive(side, rows, keys) {
      const name = side === "incoming" ? CUSTOMER_NUMBER : "externaluseridentifier";
      keys.set(rows.text(name).map(foldKey));
    },

    /** The only active contact of that number; without one a person must look. */
    choose(incoming, candidates, choices) {
      const states = candidates.rows.int64("statecode");
      const chosen = incoming.text(CUSTOMER_NUMBER).map((number, row) => {
        const position = candidates.only(row, (record) => states[record] === 0n);
        if (position === null) {
          const { start, end } = candidates.of(row);
          const message = `\`${number ?? ""}\` meets ${end - start} contacts, not just one of them active`;
          choices.reject(row, "ambiguous-contact", CUSTOMER_NUMBER, message);
        }
        return position;
      });
      choices.set(chosen);
    },
  },

  owner: {
    needs: (context, { ownsByTerritory }) => ({
      reads: ownsByTerritory ? [context.identifier(TERRITORY)] : [],
    }),

    /** The first sales person of the territory, where that one is current. */
    decide(incoming, current, owners, { settings, ownsByTerritory, tables }) {
      const { fallbackOwner } = settings;
      if (!ownsByTerritory) {
        owners.set(new Array(incoming.length).fill(fallbackOwner), "internalemailaddress");
        return;
      }
      const keys = incoming.column(TERRITORY);
      const found = tables.resolve("salespeople", TERRITORY, keys, ["email", "current"]);
      const are = found.cells("current").map(isYes);
      const people = found.text("email").map((address, row) => {
        const written = trimmed(address);
        return written !== "" && are[row] ? written : fallbackOwner;
      });
      owners.set(people, "internalemailaddress");
    },
  },
});
