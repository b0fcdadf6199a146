use super::*;

fn form(text: &str, country: &str, format: Format) -> Result<String, PhoneError> {
    let mut into = String::new();
    normalize(text, Country::find(country), format, &mut into)?;
    Ok(into)
}

#[test]
fn a_number_has_one_form_whatever_the_way_it_was_written() {
    let cases = [
        // As AdventureWorks writes them.
        ("1 (11) 500 555-0162", "Australia", "+61 500 555 0162"),
        ("1 (11) 500 555-0162", "France", "+33 500 555 0162"),
        ("1 (11) 020 555-0162", "United Kingdom", "+44 20 555 0162"),
        ("398-555-0132", "United States", "+1 398 555 0132"),
        ("398-555-0132", "Canada", "+1 398 555 0132"),
        ("398-555-0132", "Australia", "+1 398 555 0132"),
        ("398-555-0132", "", "+1 398 555 0132"),
        ("112-555-0100", "", "+1 112 555 0100"),
        // North America in other ways.
        ("(398) 555-0132", "", "+1 398 555 0132"),
        ("1-398-555-0132", "", "+1 398 555 0132"),
        ("3985550132", "US", "+1 398 555 0132"),
        ("13985550132", "US", "+1 398 555 0132"),
        ("+13985550132", "Germany", "+1 398 555 0132"),
        ("398.555.0132 x12", "US", "+1 398 555 0132 x12"),
        ("398 555 0132 Ext. 7", "US", "+1 398 555 0132 x7"),
        // Elsewhere.
        ("030 123456", "Germany", "+49 30 123456"),
        ("+49 (0)30 123456", "", "+49 30 123456"),
        ("+4930123456", "", "+49 30123456"),
        ("+0049 30 123456", "", "+49 30 123456"),
        ("+001 398 555 0132", "", "+1 398 555 0132"),
        ("0049 30 123456", "United States", "+49 30 123456"),
        ("011 49 30 123456", "United States", "+49 30 123456"),
        ("06 1234 5678", "Italy", "+39 06 1234 5678"),
        ("+999 12 345 678", "", "+999 12 345 678"),
        ("01/234 56-78", "FR", "+33 1 234 56 78"),
        ("\u{a0}01 23\u{2013}45 67 89 ", "FR", "+33 1 23 45 67 89"),
    ];
    for (text, country, expected) in cases {
        let found = form(text, country, Format::International);
        assert_eq!(found.as_deref(), Ok(expected), "{text:?} in {country:?}");
        // What has the form keeps it, wherever it is read.
        assert_eq!(form(expected, "Japan", Format::International).as_deref(), Ok(expected));
        let e164 = form(text, country, Format::E164).unwrap();
        assert_eq!(e164, expected.replace(' ', ""));
        assert!(form(&e164, "", Format::E164).is_ok_and(|again| again == e164), "{e164}");
    }
}

#[test]
fn what_has_no_form_is_told_and_adds_nothing() {
    use PhoneError::{NoCountry, NotANumber};
    let cases = [
        ("1 (11) 500 555-0162", "", NoCountry),
        ("1 (11) 500 555-0162", "United States", NoCountry),
        ("030 123456", "", NoCountry),
        ("", "US", NotANumber),
        ("-", "US", NotANumber),
        ("n/a", "US", NotANumber),
        ("call Bob", "US", NotANumber),
        ("555-0132", "US", NotANumber),
        ("398-555-01320", "US", NotANumber),
        ("1234", "Germany", NotANumber),
        ("+1 398 555 013", "", NotANumber),
        ("12345678901234567890123", "Germany", NotANumber),
        ("1234567890123456", "Germany", NotANumber),
        ("398-555-0132 x", "US", NotANumber),
        ("398-555-0132 x123456789", "US", NotANumber),
        ("398-555-0132 extra", "US", NotANumber),
        ("++1 398 555 0132", "US", NotANumber),
        ("+", "US", NotANumber),
        ("00", "US", NotANumber),
        ("\u{661}\u{662}\u{663}", "US", NotANumber),
    ];
    for (text, country, expected) in cases {
        assert_eq!(form(text, country, Format::International), Err(expected), "{text:?}");
    }
}

#[test]
fn the_digits_of_a_number_without_a_country_are_kept_in_groups() {
    let digits = |text| {
        let mut into = String::new();
        digits_only(text, &mut into).map(|()| into)
    };
    assert_eq!(digits("1 (11) 500 555-0162").as_deref(), Ok("1 11 500 555 0162"));
    assert_eq!(digits("030/123456 x9").as_deref(), Ok("030 123456 x9"));
    assert_eq!(digits("12345"), Err(PhoneError::NotANumber));
    assert_eq!(digits("n/a 1234567"), Err(PhoneError::NotANumber));
}
