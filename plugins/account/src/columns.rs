//! Which source column fills which target column. Data only.

/// The source's own key.
pub(crate) const ACCOUNT_NUMBER: &str = "account_number";
/// Name of the store.
pub(crate) const NAME: &str = "name";
/// Telephone number in any form.
pub(crate) const PHONE: &str = "phone";
/// Country of the address; tells the calling code.
pub(crate) const COUNTRY: &str = "country";
/// Code of the business type.
pub(crate) const BUSINESS_TYPE: &str = "business_type";
/// Code of how many brands are sold.
pub(crate) const BRANDS: &str = "brands";
/// Who sells to the store: a key of the granted table `salespeople`.
pub(crate) const SALES_PERSON: &str = "sales_person_id";
/// Whether the store is closed; may be missing.
pub(crate) const CLOSED: &str = "closed";

/// Text that is only tidied: source, target.
pub(crate) const TEXTS: [(&str, &str); 9] = [
    ("line1", "address1_line1"),
    ("line2", "address1_line2"),
    ("city", "address1_city"),
    ("state", "address1_stateorprovince"),
    ("postal_code", "address1_postalcode"),
    (COUNTRY, "address1_country"),
    ("bank", "dv_bank"),
    ("specialty", "dv_specialty"),
    ("internet", "dv_internet"),
];

/// Whole numbers: source, target, least, greatest.
pub(crate) const WHOLES: [(&str, &str, i64, i64); 2] = [
    ("employees", "numberofemployees", 0, 1_000_000_000),
    ("year_opened", "dv_yearopened", 1000, 9999),
];

/// Money: source, target. The least and the greatest amount are those of
/// `revenue` in a table as Microsoft ships it.
pub(crate) const AMOUNTS: [(&str, &str); 2] =
    [("annual_revenue", "revenue"), ("annual_sales", "dv_annualsales")];

/// Choices: source, target.
pub(crate) const BUSINESS_TYPE_CHOICE: (&str, &str) = (BUSINESS_TYPE, "dv_businesstype");
/// See [`BUSINESS_TYPE_CHOICE`].
pub(crate) const BRANDS_CHOICE: (&str, &str) = (BRANDS, "dv_brands");
