//! What invented names and addresses are made of. Data only.

/// A place: city, state, country, how its postal codes look (`#` = a digit,
/// `@` = a letter), and whether telephone numbers are North American.
pub(super) struct Place {
    pub(super) city: &'static str,
    pub(super) state: &'static str,
    pub(super) country: &'static str,
    pub(super) postal_code: &'static str,
    pub(super) territory: u64,
}

const fn place(
    city: &'static str,
    state: &'static str,
    country: &'static str,
    postal_code: &'static str,
    territory: u64,
) -> Place {
    Place { city, state, country, postal_code, territory }
}

pub(super) const UNITED_STATES: &str = "United States";
pub(super) const CANADA: &str = "Canada";

pub(super) const PLACES: [Place; 20] = [
    place("Portland", "OR", UNITED_STATES, "97###", 1),
    place("Tacoma", "WA", UNITED_STATES, "98###", 1),
    place("Albany", "NY", UNITED_STATES, "12###", 2),
    place("Newport", "RI", UNITED_STATES, "028##", 2),
    place("Wichita", "KS", UNITED_STATES, "67###", 3),
    place("Fresno", "CA", UNITED_STATES, "93###", 4),
    place("Savannah", "GA", UNITED_STATES, "31###", 5),
    place("Montréal", "QC", CANADA, "H#@ #@#", 6),
    place("Kelowna", "BC", CANADA, "V#@ #@#", 6),
    place("Orléans", "Loiret", "France", "450##", 7),
    place("Besançon", "Doubs", "France", "250##", 7),
    place("Saarbrücken", "SL", "Germany", "661##", 8),
    place("München", "BY", "Germany", "80###", 8),
    place("Görlitz", "SN", "Germany", "028##", 8),
    place("Geelong", "VIC", "Australia", "32##", 9),
    place("Hobart", "TAS", "Australia", "70##", 9),
    place("Rockhampton", "QLD", "Australia", "47##", 9),
    place("Leeds", "", "United Kingdom", "LS# #@@", 10),
    place("Bristol", "", "United Kingdom", "BS# #@@", 10),
    place("Cambridge", "", "United Kingdom", "CB# #@@", 10),
];

pub(super) const STORE_STARTS: [&str; 24] = [
    "Alder",
    "Beacon",
    "Bluebell",
    "Canal",
    "Cinder",
    "Cobble",
    "Dune",
    "Fjord",
    "Granite",
    "Harbour",
    "Juniper",
    "Kestrel",
    "Lantern",
    "Meadow",
    "Northgate",
    "Orchard",
    "Pebble",
    "Quarry",
    "Riverside",
    "Saddle",
    "Tandem",
    "Umber",
    "Valley",
    "Willow",
];

pub(super) const STORE_ENDS: [&str; 16] = [
    "Bicycles",
    "Bike Works",
    "Cycle Centre",
    "Cycles",
    "Cycling, Parts and Repair",
    "Gear Store",
    "Mountain Bikes",
    "Pedal Shop",
    "Racing Supply",
    "Ride Company",
    "Sport & Leisure",
    "Touring Bikes",
    "Two-Wheel Trade",
    "Velo",
    "Wheel House",
    "Wheels",
];

pub(super) const STREETS: [&str; 16] = [
    "Bahnhofstraße",
    "Birch Lane",
    "Canal Street",
    "Château Road",
    "Dock Street",
    "Elm Avenue",
    "Foundry Lane",
    "Gartenweg",
    "High Street",
    "King's Parade",
    "Market Square",
    "Mill Road",
    "Rue de l'Église",
    "Station Road",
    "Sunset Boulevard",
    "Wharf Street",
];

pub(super) const FIRST_NAMES: [&str; 32] = [
    "ada", "amir", "anna", "bela", "carla", "chen", "dana", "diego", "elif", "emma", "femi",
    "greta", "hana", "igor", "ines", "jonas", "kaya", "leo", "lena", "mina", "nils", "noor",
    "olga", "omar", "petra", "quinn", "rosa", "sami", "tessa", "udo", "vera", "yuki",
];

pub(super) const LAST_NAMES: [&str; 24] = [
    "abel", "berg", "costa", "diaz", "ek", "fuchs", "grant", "hale", "ito", "jansen", "kowal",
    "lind", "moreau", "novak", "okoro", "park", "quist", "rossi", "silva", "tan", "ueda", "vogel",
    "wood", "young",
];

pub(super) const DOMAINS: [&str; 3] = ["example.com", "example.net", "example.org"];

pub(super) const BANKS: [&str; 6] = [
    "Harbor Savings",
    "First Canal Bank",
    "United Orchard Bank",
    "Northgate Trust",
    "Guild & Partners",
    "Reserve of Wichita",
];

pub(super) const SPECIALTIES: [&str; 3] = ["Mountain", "Road", "Touring"];
pub(super) const INTERNET: [&str; 4] = ["DSL", "ISDN", "T1", "T3"];
pub(super) const BRANDS: [&str; 6] = ["1", "2", "3", "4", "4+", "AW"];
pub(super) const BUSINESS_TYPES: [&str; 3] = ["BM", "BS", "OS"];
