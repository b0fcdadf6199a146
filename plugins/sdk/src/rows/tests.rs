use super::*;
use crate::bindings::types::{DecimalBuffers, TextBuffers};

fn column(name: &str, validity: Option<Vec<u8>>, values: Values) -> Column {
    Column { name: name.to_owned(), validity, values }
}

fn text(name: &str, offsets: &[i32], data: &[u8]) -> Column {
    let buffers = TextBuffers { offsets: offsets.to_vec(), data: data.to_vec() };
    column(name, None, Values::Text(buffers))
}

fn field(column: &Column) -> [Field; 1] {
    [Field::new(column.name.clone(), type_of(column))]
}

#[test]
fn cells_are_read_with_their_nulls() {
    let names = Column {
        validity: Some(vec![0b101]),
        ..text("name", &[0, 3, 3, 5], &"Zo\u{eb}".as_bytes()[..3])
    };
    // The last offset cuts a letter in two: the buffer is not UTF-8 to its end.
    let fields = field(&names);
    let columns = [names];
    assert!(Rows::of(&fields, &columns, 3).text("name").is_err());

    let names = Column {
        validity: Some(vec![0b101]),
        ..text("name", &[0, 4, 4, 5], "Zo\u{eb}y".as_bytes())
    };
    let columns = [names];
    let cells = Rows::of(&fields, &columns, 3).text("name").unwrap();
    assert_eq!(cells.iter().collect::<Vec<_>>(), [Some("Zo\u{eb}"), None, Some("y")]);
    assert_eq!(cells.get(3), None);
    assert!(!cells.is_absent());
}

#[test]
fn every_type_is_read_in_place() {
    let decimal =
        DecimalBuffers { precision: 38, scale: 2, data: 1250_i128.to_le_bytes().to_vec() };
    let columns = [
        column("b", None, Values::Boolean(vec![1])),
        column("i", None, Values::Int64(vec![-7])),
        column("f", None, Values::Float64(vec![0.5])),
        column("d", None, Values::Decimal128(decimal)),
        column("day", None, Values::Date32(vec![19_000])),
        column("at", None, Values::TimestampUs(vec![1_000_000])),
        column("u", None, Values::Uuid((0..16).collect())),
        column(
            "raw",
            None,
            Values::Binary(TextBuffers { offsets: vec![0, 2], data: vec![0, 255] }),
        ),
    ];
    let fields: Vec<Field> = columns.iter().flat_map(field).collect();
    let rows = Rows::of(&fields, &columns, 1);
    assert_eq!(rows.boolean("b").unwrap().get(0), Some(true));
    assert_eq!(rows.int64("i").unwrap().get(0), Some(-7));
    assert_eq!(rows.float64("f").unwrap().get(0), Some(0.5));
    assert_eq!(rows.decimal("d").unwrap().get(0).unwrap().to_string(), "12.50");
    assert_eq!(rows.date("day").unwrap().get(0), Some(19_000));
    assert_eq!(rows.timestamp("at").unwrap().get(0), Some(1_000_000));
    assert_eq!(rows.uuid("u").unwrap().get(0).unwrap()[15], 15);
    assert_eq!(rows.binary("raw").unwrap().get(0), Some([0, 255].as_slice()));
    assert_eq!(rows.boolean("b").unwrap().get(1), None);
}

#[test]
fn a_column_that_cannot_be_read_is_told_by_name() {
    let columns = [text("name", &[0, 1], b"x")];
    let fields = field(&columns[0]);
    let rows = Rows::of(&fields, &columns, 1);
    let message = |failure: Result<_, Failure>| failure.err().map(|failure| failure.message);
    assert_eq!(
        message(rows.text("nmae").map(|_| ())).as_deref(),
        Some("cannot read column `nmae`: the hook does not declare it")
    );
    assert_eq!(
        message(rows.int64("name").map(|_| ())).as_deref(),
        Some("cannot read column `name`: expected int64, found text")
    );
    let rows = Rows::of(&fields, &columns, 2);
    assert_eq!(
        message(rows.text("name").map(|_| ())).as_deref(),
        Some("column `name` has 2 offsets for 2 rows")
    );
}

#[test]
fn senseless_buffers_never_panic() {
    let cases = [
        text("c", &[5, -3, 900], b"abc"),
        text("c", &[2, 1, 0], "\u{fc}".as_bytes()),
        text("c", &[0, 1, 2], "\u{fc}".as_bytes()),
        text("c", &[], b""),
        column("c", Some(vec![]), Values::Int64(vec![1, 2])),
        column("c", None, Values::Int64(vec![1])),
        column("c", None, Values::Boolean(vec![])),
        column("c", None, Values::Uuid(vec![1; 17])),
        column("c", None, Values::Strings(vec![None, None])),
    ];
    for column in cases {
        let fields = field(&column);
        let columns = [column];
        let rows = Rows::of(&fields, &columns, 2);
        for row in 0..3 {
            let read = rows.text("c").ok().and_then(|cells| cells.get(row)).map(str::len);
            assert!(read.is_none(), "{:?}", columns[0]);
            assert!(rows.int64("c").ok().and_then(|cells| cells.get(row)).is_none());
            assert!(rows.boolean("c").ok().and_then(|cells| cells.get(row)).is_none());
            assert!(rows.uuid("c").ok().and_then(|cells| cells.get(row)).is_none());
        }
    }
}

#[test]
fn columns_that_are_not_the_declared_ones_are_refused() {
    let columns = [text("a", &[0], b""), text("b", &[0], b"")];
    let declared = |names: [(&str, crate::Type); 2]| {
        let [a, b] = names.map(|(name, kind)| [Field::new(name, kind)]);
        split(&columns, &a, &b).map(|(a, b)| (a.len(), b.len()))
    };
    use crate::Type::{Int64, Text};
    assert_eq!(declared([("a", Text), ("b", Text)]), Ok((1, 1)));
    assert!(declared([("b", Text), ("a", Text)]).is_err());
    assert!(declared([("a", Int64), ("b", Text)]).is_err());
    assert!(split(&columns, &[], &[]).is_err());
}
