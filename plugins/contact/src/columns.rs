//! Which source column fills which target column. Data only.

/// The source's own key.
pub(crate) const CUSTOMER_NUMBER: &str = "customer_number";
/// E-mail address; the name is derived from it.
pub(crate) const EMAIL: &str = "email";
/// Telephone number in any form.
pub(crate) const PHONE: &str = "phone";
/// Code of what kind of number it is; may be missing.
pub(crate) const PHONE_TYPE: &str = "phone_type";
/// Country of the address; tells the calling code.
pub(crate) const COUNTRY: &str = "country";
/// Sales territory; tells the owner, and the country where the row has none.
pub(crate) const TERRITORY: &str = "territory_id";

/// Text that is only tidied: source, target.
pub(crate) const TEXTS: [(&str, &str); 6] = [
    ("line1", "address1_line1"),
    ("line2", "address1_line2"),
    ("city", "address1_city"),
    ("state", "address1_stateorprovince"),
    ("postal_code", "address1_postalcode"),
    (COUNTRY, "address1_country"),
];

/// Where a telephone number can go; the first is for numbers without a kind.
pub(crate) const TELEPHONES: [&str; 3] = ["telephone1", "telephone2", "mobilephone"];

/// All columns that the rule may write.
pub(crate) const TARGETS: [&str; 13] = [
    "externaluseridentifier",
    "emailaddress1",
    "firstname",
    "lastname",
    TELEPHONES[0],
    TELEPHONES[1],
    TELEPHONES[2],
    TEXTS[0].1,
    TEXTS[1].1,
    TEXTS[2].1,
    TEXTS[3].1,
    TEXTS[4].1,
    TEXTS[5].1,
];
