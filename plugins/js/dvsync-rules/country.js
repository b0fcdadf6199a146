/**
 * Countries by the names that business data has for them, as far as telephone
 * numbers need it. Pure.
 *
 * Calling codes: ITU, *List of ITU-T Recommendation E.164 assigned country codes*.
 * Deliberately not complete: a number of another country is understood when it is
 * written with `+` and its calling code.
 */

/** Calling code, trunk zero, names. */
const COUNTRIES = [
  [1, false, "ca|canada|united states|united states of america|us|usa"],
  [27, true, "south africa|za"],
  [30, false, "gr|greece"],
  [31, true, "netherlands|nl"],
  [32, true, "be|belgium"],
  [33, true, "fr|france"],
  [34, false, "es|spain"],
  [36, false, "hu|hungary"],
  [39, false, "it|italy"],
  [40, true, "ro|romania"],
  [41, true, "ch|switzerland"],
  [43, true, "at|austria"],
  [44, true, "gb|great britain|uk|united kingdom"],
  [45, false, "denmark|dk"],
  [46, true, "se|sweden"],
  [47, false, "no|norway"],
  [48, false, "pl|poland"],
  [49, true, "de|germany"],
  [52, false, "mexico|mx"],
  [54, true, "ar|argentina"],
  [55, true, "br|brazil"],
  [56, false, "chile|cl"],
  [57, false, "co|colombia"],
  [60, true, "malaysia|my"],
  [61, true, "au|australia"],
  [62, true, "id|indonesia"],
  [63, true, "ph|philippines"],
  [64, true, "new zealand|nz"],
  [65, false, "sg|singapore"],
  [66, true, "th|thailand"],
  [81, true, "japan|jp"],
  [82, true, "kr|south korea"],
  [86, true, "china|cn"],
  [90, true, "tr|turkey"],
  [91, true, "in|india"],
  [351, false, "portugal|pt"],
  [352, false, "lu|luxembourg"],
  [353, true, "ie|ireland"],
  [358, true, "fi|finland"],
  [370, false, "lithuania|lt"],
  [371, false, "latvia|lv"],
  [372, false, "ee|estonia"],
  [380, true, "ua|ukraine"],
  [381, true, "rs|serbia"],
  [385, true, "croatia|hr"],
  [386, true, "si|slovenia"],
  [420, false, "cz|czech republic|czechia"],
  [421, true, "sk|slovakia"],
  [852, false, "hk|hong kong"],
  [886, true, "taiwan|tw"],
  [972, true, "il|israel"],
];

const byName = new Map();
const byCode = new Map();
for (const [callingCode, trunkZero, names] of COUNTRIES) {
  const country = Object.freeze({ callingCode, trunkZero });
  byCode.set(String(callingCode), country);
  for (const name of names.split("|")) byName.set(name, country);
}

/** The country of an English name or ISO 3166 alpha-2 code, in any case; null. */
export function findCountry(name) {
  return byName.get(name.trim().toLowerCase()) ?? null;
}

/** The country whose calling code the digits begin with, and the code's length; null. */
export function countryOfDigits(digits) {
  // Calling codes are prefix-free: the first that fits is the one.
  for (let length = 1; length <= 3 && length <= digits.length; length++) {
    const country = byCode.get(digits.slice(0, length));
    if (country !== undefined) return { country, length };
  }
  return null;
}
