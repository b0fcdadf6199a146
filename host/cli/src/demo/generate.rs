//! Invented stores, customers and sales people, as messy as real ones: the same
//! ones each time, in the shape of Microsoft's AdventureWorks sample.
//!
//! Pure: sizes in, texts of CSV files out.

use super::random::Random;
use super::words::{
    BANKS, BRANDS, BUSINESS_TYPES, CANADA, DOMAINS, FIRST_NAMES, INTERNET, LAST_NAMES, PLACES,
    Place, SPECIALTIES, STORE_ENDS, STORE_STARTS, STREETS, UNITED_STATES,
};

/// How much is made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    pub(crate) accounts: u64,
    pub(crate) contacts: u64,
    /// With rows that cannot be synced, so that it shows what becomes of them.
    pub(crate) spoilt: bool,
}

/// Files by their job: name and text.
#[derive(Debug)]
pub(crate) struct Data {
    pub(crate) accounts: String,
    pub(crate) contacts: String,
    pub(crate) salespeople: String,
}

/// Territories, each with a sales person.
const TERRITORIES: u64 = 10;
/// Numbers of sales people begin here.
const SALES_PERSON: u64 = 501;

/// Makes the files.
pub(crate) fn generate(size: Size) -> Data {
    let mut random = Random::new(20_260_911);
    let salespeople = salespeople(&mut random);
    let contacts = contacts(&mut random, size);
    let accounts = accounts(&mut random, size);
    Data { accounts, contacts, salespeople }
}

fn salespeople(random: &mut Random) -> String {
    let mut file =
        File::new(&["sales_person_id", "territory_id", "quota", "email", "job_title", "current"]);
    for territory in 1..=TERRITORIES {
        let id = SALES_PERSON + territory - 1;
        let first = random.pick(&FIRST_NAMES);
        let quota = random.between(10, 40) * 10_000;
        file.row([
            id.to_string(),
            territory.to_string(),
            format!("{quota}.0000"),
            format!("{first}.{id}@sales.example.com"),
            "Sales Representative".to_owned(),
            "1".to_owned(),
        ]);
    }
    file.text
}

fn account_number(number: u64) -> String {
    format!("DV{number:08}")
}

/// Contacts that belong to an account: every thirtieth, to account after account.
fn parent(contact: u64, size: Size) -> Option<u64> {
    let belongs = contact.is_multiple_of(30) && size.accounts > 0;
    belongs.then(|| contact / 30 % size.accounts + 1)
}

/// The same for the contact's own row and for an account that points to it.
fn contact_email(contact: u64) -> String {
    let mut random = Random::new(contact);
    let first = random.pick(&FIRST_NAMES);
    let domain = random.pick(&DOMAINS);
    if random.one_in(3) {
        format!("{first}.{}{contact}@{domain}", random.pick(&LAST_NAMES))
    } else {
        format!("{first}{contact}@{domain}")
    }
}

fn contacts(random: &mut Random, size: Size) -> String {
    let mut file = File::new(&[
        "customer_number",
        "email",
        "phone",
        "phone_type",
        "line1",
        "line2",
        "city",
        "state",
        "postal_code",
        "country",
        "parent_account_number",
        "territory_id",
        "modified",
    ]);
    for number in 1..=size.contacts {
        let place = random.pick(&PLACES);
        let mut email = contact_email(number);
        let mut parent = parent(number, size).map(account_number).unwrap_or_default();
        if size.spoilt && number == 1200 {
            email = "to be asked".to_owned();
        }
        if size.spoilt && number == 1700 {
            parent = account_number(99_999_999);
        }
        if random.one_in(40) {
            email = email.to_uppercase();
        }
        let mut cells = vec![
            format!("DVC{number:07}"),
            email,
            phone(random, place),
            random.pick(&["1", "1", "1", "2", "2", "3"]).to_string(),
        ];
        cells.extend(address(random, place));
        cells.extend([parent, place.territory.to_string(), modified(random)]);
        if size.spoilt && number == 1900 {
            cells.push("one field too many".to_owned());
        }
        file.row(cells);
    }
    file.text
}

fn accounts(random: &mut Random, size: Size) -> String {
    let mut file = File::new(&[
        "account_number",
        "name",
        "business_type",
        "phone",
        "line1",
        "line2",
        "city",
        "state",
        "postal_code",
        "country",
        "employees",
        "annual_sales",
        "annual_revenue",
        "bank",
        "specialty",
        "year_opened",
        "internet",
        "brands",
        "sales_person_id",
        "contact_email",
        "modified",
        "closed",
    ]);
    for number in 1..=size.accounts {
        let place = random.pick(&PLACES);
        let sales = random.between(3, 60) * 50_000;
        let mut employees = random.between(2, 120).to_string();
        let mut brands = random.pick(&BRANDS).to_string();
        if size.spoilt && number == 700 {
            employees = "a dozen".to_owned();
        }
        if size.spoilt && number == 900 {
            brands = "7".to_owned();
        }
        let mut cells = vec![
            account_number(number),
            store(random, number),
            random.pick(&BUSINESS_TYPES).to_string(),
            phone(random, place),
        ];
        cells.extend(address(random, place));
        cells.extend([
            employees,
            sales.to_string(),
            format!("{}.50", sales / 10),
            random.pick(&BANKS).to_string(),
            random.pick(&SPECIALTIES).to_string(),
            random.between(1962, 2026).to_string(),
            random.pick(&INTERNET).to_string(),
            brands,
            (SALES_PERSON + place.territory - 1).to_string(),
            primary_contact(random, number, size),
            modified(random),
            random.pick(&["", "no", "no", "No ", "no", "yes"]).to_string(),
        ]);
        // An older row of the same account, spelled in another way: it loses.
        if number.is_multiple_of(400) || number == 7 {
            let mut older = cells.clone();
            older[0] = older[0].to_lowercase();
            older[10] = "1".to_owned();
            older[20] = "2019-03-02 08:00:00.000".to_owned();
            file.row(older);
        }
        file.row(cells);
    }
    file.text
}

/// A contact that belongs to the account; for some nobody, or somebody unknown.
fn primary_contact(random: &mut Random, account: u64, size: Size) -> String {
    // The first contact that `parent` gives to this account.
    let turns = if account == 1 { size.accounts } else { account - 1 };
    let contact = turns * 30;
    if random.one_in(12) {
        return format!("nobody{account}@example.com");
    }
    if contact <= size.contacts { contact_email(contact) } else { String::new() }
}

fn store(random: &mut Random, number: u64) -> String {
    let (start, end) = (random.pick(&STORE_STARTS), random.pick(&STORE_ENDS));
    match number % 20 {
        3 => format!("{start} {end}  "),
        8 => format!("  {start}  {end}"),
        15 => format!("{start} \"{end}\""),
        _ => format!("{start} {end}"),
    }
}

fn phone(random: &mut Random, place: &Place) -> String {
    let (area, last) = (random.between(201, 990), random.between(100, 200));
    match place.country {
        UNITED_STATES | CANADA => format!("{area}-555-0{last}"),
        _ => format!("1 (11) 500 555-0{last}"),
    }
}

fn address(random: &mut Random, place: &Place) -> [String; 6] {
    let line1 = format!("{} {}", random.between(1, 9_000), random.pick(&STREETS));
    let line2 = match random.between(0, 12) {
        0 => format!("Unit {}, Yard {}", random.between(1, 40), random.between(1, 9)),
        1 => " ".to_owned(),
        _ => String::new(),
    };
    let blank = if random.one_in(15) { " " } else { "" };
    [
        line1,
        line2,
        format!("{}{blank}", place.city),
        place.state.to_owned(),
        postal_code(random, place.postal_code),
        place.country.to_owned(),
    ]
}

fn postal_code(random: &mut Random, form: &str) -> String {
    const LETTERS: [char; 10] = ['A', 'B', 'E', 'H', 'K', 'L', 'P', 'R', 'T', 'X'];
    const DIGITS: [char; 10] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'];
    form.chars()
        .map(|c| match c {
            '#' => *random.pick(&DIGITS),
            '@' => *random.pick(&LETTERS),
            other => other,
        })
        .collect()
}

fn modified(random: &mut Random) -> String {
    format!(
        "2026-{:02}-{:02} {:02}:{:02}:{:02}.{:03}",
        random.between(1, 10),
        random.between(1, 29),
        random.between(0, 24),
        random.between(0, 60),
        random.between(0, 60),
        random.between(0, 1000)
    )
}

/// A CSV file as it grows.
struct File {
    text: String,
}

impl File {
    fn new(columns: &[&str]) -> Self {
        Self { text: columns.join(",") + "\n" }
    }

    fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        for (position, cell) in cells.into_iter().enumerate() {
            if position > 0 {
                self.text.push(',');
            }
            if cell.contains([',', '"', '\n']) {
                self.text.push('"');
                self.text.push_str(&cell.replace('"', "\"\""));
                self.text.push('"');
            } else {
                self.text.push_str(&cell);
            }
        }
        self.text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_same_files_come_each_time() {
        let size = Size { accounts: 30, contacts: 100, spoilt: true };
        assert_eq!(generate(size).accounts, generate(size).accounts);
    }

    #[test]
    fn the_example_ships_what_is_made_here() {
        let data = generate(Size { accounts: 40, contacts: 240, spoilt: false });
        let folder =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/adventureworks/data");
        for (name, text) in [
            ("accounts.csv", data.accounts),
            ("contacts.csv", data.contacts),
            ("salespeople.csv", data.salespeople),
        ] {
            expect_test::expect_file![folder.join(name)].assert_eq(&text);
        }
    }

    #[test]
    fn every_row_has_as_many_fields_as_the_header() {
        let data = generate(Size { accounts: 500, contacts: 500, spoilt: false });
        let header = |text: &str| text.lines().next().unwrap().matches(',').count();
        assert_eq!(header(&data.accounts), 21);
        assert_eq!(header(&data.contacts), 12);
        let plain = data.contacts.lines().filter(|line| !line.contains('"'));
        assert!(plain.clone().count() > 400);
        plain.for_each(|line| assert_eq!(line.matches(',').count(), 12, "{line}"));
    }
}
