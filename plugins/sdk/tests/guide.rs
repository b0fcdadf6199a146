//! The rules that `docs/rules-authoring.md` shows: what they do, and that the
//! page shows just them.

#[path = "../examples/prospects.rs"]
pub mod prospects;
#[path = "../examples/regions.rs"]
pub mod regions;

mod names {
    use super::prospects::Prospects;
    use dvsync_rules_sdk::testing::{Bench, Table, assert_rows_independent};

    #[test]
    fn names_are_tidied_and_blank_ones_are_rejected() {
        let table = Table::of(&["name", "city"], &[&[" Ann  Lee ", "Bonn"], &["", "Lyon"]]);
        let bench = Bench::<Prospects>::new(&table).settings("{}");
        let answer = bench.transform(&table).unwrap();
        assert_eq!(answer.cell(0, "lastname"), "Ann Lee");
        assert_eq!(answer.verdict(1), "reject no-name (name): the prospect has no name");
        assert_rows_independent(&table, |rows| bench.transform(rows).unwrap().lines());
    }
}

mod owners {
    use super::regions::Regions;
    use dvsync_rules_sdk::testing::{Bench, Table};

    #[test]
    fn the_owner_is_the_seller_of_the_region() {
        let people = Table::of(
            &["id", "email", "region"],
            &[&["7", "ann@example.com", "north"], &["8", "bob@example.com", "south"]],
        );
        let rows = Table::of(&["seller"], &[&["7"], &["8"], &["9"], &[""]]);
        let owners = |settings| {
            let bench = Bench::<Regions>::new(&rows).settings(settings);
            let answer =
                bench.grant("salespeople", people.clone()).owner(&rows, &Table::blank(4)).unwrap();
            answer.lines()
        };
        assert_eq!(owners("{}"), ["owner=user ann@example.com | ", "", "", ""]);
        let south = owners(r#"{"region": "south"}"#);
        assert_eq!(south, ["", "owner=user bob@example.com | ", "", ""]);
    }
}

#[test]
fn the_guide_shows_code_that_is_compiled_here() {
    let lines =
        |text: &str| -> String { text.lines().map(|line| format!("{}\n", line.trim())).collect() };
    let compiled = lines(concat!(
        include_str!("../examples/prospects.rs"),
        include_str!("../examples/regions.rs"),
        include_str!("guide.rs"),
    ));
    let guide = include_str!("../../../docs/rules-authoring.md");
    let blocks: Vec<&str> =
        guide.split("```rust\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert_eq!(blocks.len(), 3);
    for block in blocks {
        assert!(compiled.contains(&lines(block)), "not compiled as it stands:\n{block}");
    }
}
