"""Which source column fills which target column. Data only."""

CUSTOMER_NUMBER = "customer_number"
EMAIL = "email"
PHONE = "phone"
PHONE_TYPE = "phone_type"
COUNTRY = "country"
TERRITORY = "territory_id"

TEXTS = (
    ("line1", "address1_line1"),
    ("line2", "address1_line2"),
    ("city", "address1_city"),
    ("state", "address1_stateorprovince"),
    ("postal_code", "address1_postalcode"),
    (COUNTRY, "address1_country"),
)
"""Text that is only tidied: source, target."""

TELEPHONES = ("telephone1", "telephone2", "mobilephone")
"""Where a telephone number can go; the first is for numbers without a kind."""

TARGETS = (
    "externaluseridentifier", "emailaddress1", "firstname", "lastname", *TELEPHONES,
    *(target for _, target in TEXTS),
)
"""All columns that the rule may write."""
