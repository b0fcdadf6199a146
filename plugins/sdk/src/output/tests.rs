use super::*;
use crate::bindings::types::Values;
use crate::{DecimalBuilder, Int64Builder, TextBuilder};

#[test]
fn an_answer_that_the_host_would_refuse_is_refused_by_name() {
    let writes = [Field::text("name"), Field::int64("size")];
    let mut output = Output::new(&writes, 1);
    let mut name = TextBuilder::new(1);
    name.push("x");
    let message = |result: Result<(), Failure>| result.err().map(|failure| failure.message);
    assert_eq!(
        message(output.set("nmae", name.clone())).as_deref(),
        Some("cannot set column `nmae`: the hook does not declare it")
    );
    assert_eq!(
        message(output.set("size", name.clone())).as_deref(),
        Some("cannot set column `size`: expected int64, found text")
    );
    assert_eq!(
        message(output.set("name", TextBuilder::new(1))).as_deref(),
        Some("column `name` has 0 values for 1 rows")
    );
    assert_eq!(message(output.set("name", name.clone())), None);
    assert_eq!(message(output.set("name", name)).as_deref(), Some("column `name` is set twice"));
    assert_eq!(output.finish().columns.len(), 1);
}

#[test]
fn values_nulls_and_cells_to_leave_have_their_bits() {
    let writes = [Field::int64("size"), Field::decimal("price")];
    let mut output = Output::new(&writes, 3);
    let mut size = Int64Builder::new(3);
    size.push(7);
    size.push_null();
    size.push_leave();
    output.set("size", size).unwrap();
    let mut price = DecimalBuilder::money(3);
    for value in [12_500, -1, 0] {
        price.push(value);
    }
    output.set("price", price).unwrap();
    let columns = output.finish().columns;
    assert_eq!(columns[0].column.validity.as_deref(), Some([0b1111_1001].as_slice()));
    assert_eq!(columns[0].leave.as_deref(), Some([0b100].as_slice()));
    assert!(matches!(&columns[0].column.values, Values::Int64(list) if *list == [7, 0, 0]));
    // Without nulls there are no bitmaps.
    assert_eq!((&columns[1].column.validity, &columns[1].leave), (&None, &None));
    let Values::Decimal128(price) = &columns[1].column.values else { panic!("no decimal") };
    assert_eq!((price.precision, price.scale, price.data.len()), (38, 4, 48));
    assert_eq!(price.data[16..32], (-1_i128).to_le_bytes());
}

#[test]
fn text_is_written_in_place_and_nothing_is_null() {
    let mut column = TextBuilder::new(0);
    assert!(column.push_with(|data| data.push_str("ab")));
    assert!(!column.push_with(|_| ()));
    assert!(!column.push_tidy("  "));
    assert!(column.push_tidy(" c  d "));
    column.push_option(None);
    let column = column.into_column("name");
    let Values::Text(text) = &column.values else { panic!("no text") };
    assert_eq!(text.offsets, [0, 2, 2, 2, 5, 5]);
    assert_eq!(text.data, b"abc d");
    assert_eq!(column.validity.as_deref(), Some([0b1110_1001].as_slice()));
}
