/** Which source column fills which target column. Data only. */

export const CUSTOMER_NUMBER = "customer_number";
export const EMAIL = "email";
export const PHONE = "phone";
export const PHONE_TYPE = "phone_type";
export const COUNTRY = "country";
export const TERRITORY = "territory_id";

/** Text that is only tidied: source, target. */
export const TEXTS = [
  ["line1", "address1_line1"],
  ["line2", "address1_line2"],
  ["city", "address1_city"],
  ["state", "address1_stateorprovince"],
  ["postal_code", "address1_postalcode"],
  [COUNTRY, "address1_country"],
];

/** Where a telephone number can go; the first is for numbers without a kind. */
export const TELEPHONES = ["telephone1", "telephone2", "mobilephone"];

/** All columns that the rule may write. */
export const TARGETS = [
  "externaluseridentifier", "emailaddress1", "firstname", "lastname", ...TELEPHONES,
  ...TEXTS.map(([, target]) => target),
];
