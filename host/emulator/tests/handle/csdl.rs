use std::collections::{BTreeMap, BTreeSet};

use roxmltree::{Document, Node};

use crate::desk::Desk;

fn named<'d>(document: &'d Document<'d>, tag: &str) -> Vec<Node<'d, 'd>> {
    document.descendants().filter(|node| node.has_tag_name(tag)).collect()
}

/// A tag within the CSDL namespace.
fn tags<'d>(document: &'d Document<'d>, tag: &'d str) -> impl Iterator<Item = Node<'d, 'd>> {
    document.descendants().filter(move |node| node.tag_name().name() == tag)
}

fn type_of(node: Node<'_, '_>, attribute: &str) -> String {
    let kind = node.attribute(attribute).unwrap();
    let inner = kind.strip_prefix("Collection(").and_then(|rest| rest.strip_suffix(')'));
    inner.unwrap_or(kind).to_owned()
}

#[test]
fn the_document_is_xml_and_all_its_references_resolve() {
    let desk = Desk::contracts("");
    let answer = desk.check("GET $metadata", "200");
    assert_eq!(answer.header("content-type"), Some("application/xml"));
    let document = Document::parse(answer.text()).unwrap();
    assert_eq!(document.root_element().attribute("Version"), Some("4.0"));
    let mut types = BTreeSet::new();
    let mut properties: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut bases = BTreeMap::new();
    for node in tags(&document, "EntityType").chain(tags(&document, "ComplexType")) {
        let name = format!("mscrm.{}", node.attribute("Name").unwrap());
        if let Some(base) = node.attribute("BaseType") {
            bases.insert(name.clone(), base.to_owned());
        }
        let own = node.children().filter_map(|child| child.attribute("Name")).map(str::to_owned);
        let own: Vec<String> = own.collect();
        let set: BTreeSet<String> = own.iter().cloned().collect();
        assert_eq!(own.len(), set.len(), "{name} has a name twice");
        properties.insert(name.clone(), set);
        assert!(types.insert(name));
    }
    let has = |kind: &str, property: &str| {
        let mut kind = Some(kind.to_owned());
        while let Some(one) = kind {
            if properties[&one].contains(property) {
                return true;
            }
            kind = bases.get(&one).cloned();
        }
        false
    };
    let known = |kind: &str| kind.starts_with("Edm.") || types.contains(kind);
    for tag in ["Property", "NavigationProperty", "Parameter", "ReturnType"] {
        for node in tags(&document, tag) {
            let kind = type_of(node, "Type");
            assert!(known(&kind), "{tag} {:?}: {kind}", node.attribute("Name"));
        }
    }
    assert!(bases.values().all(|base| types.contains(base)));
    let mut navigations = 0;
    for node in tags(&document, "NavigationProperty") {
        let owner = format!("mscrm.{}", node.parent().unwrap().attribute("Name").unwrap());
        let other = type_of(node, "Type");
        assert!(has(&other, node.attribute("Partner").unwrap()), "{node:?}");
        for constraint in node.children().filter(Node::is_element) {
            assert!(has(&owner, constraint.attribute("Property").unwrap()));
            assert!(has(&other, constraint.attribute("ReferencedProperty").unwrap()));
        }
        navigations += 1;
    }
    assert!(navigations > 100);
    let sets: BTreeMap<&str, String> = tags(&document, "EntitySet")
        .map(|node| (node.attribute("Name").unwrap(), type_of(node, "EntityType")))
        .collect();
    assert_eq!(sets["accounts"], "mscrm.account");
    for node in tags(&document, "NavigationPropertyBinding") {
        let set = node.parent().unwrap().attribute("Name").unwrap();
        assert!(has(&sets[set], node.attribute("Path").unwrap()), "{node:?}");
        assert!(sets.contains_key(node.attribute("Target").unwrap()));
    }
    let declared: BTreeSet<String> = tags(&document, "Function")
        .chain(tags(&document, "Action"))
        .map(|node| format!("mscrm.{}", node.attribute("Name").unwrap()))
        .collect();
    for (tag, attribute) in [("FunctionImport", "Function"), ("ActionImport", "Action")] {
        assert!(
            tags(&document, tag).all(|node| declared.contains(node.attribute(attribute).unwrap()))
        );
    }
    assert!(named(&document, "Nothing").is_empty());
}

#[test]
fn the_document_tells_keys_owners_and_bulk_messages() {
    let desk = Desk::contracts("[tables.new_reading]\nelastic = true\n");
    let text = desk.send("GET $metadata").text().to_owned();
    let document = Document::parse(&text).unwrap();
    let entity = |name: &str| {
        tags(&document, "EntityType").find(|node| node.attribute("Name") == Some(name)).unwrap()
    };
    let aliases: Vec<&str> = entity("new_contract")
        .descendants()
        .filter(|node| node.attribute("Property") == Some("Alias"))
        .filter_map(|node| node.attribute("String"))
        .collect();
    // Not the key whose index is pending.
    assert_eq!(aliases, ["_new_customerid_value", "new_seq", "new_extid", "new_region", "new_seq"]);
    assert_eq!(entity("systemuser").attribute("BaseType"), Some("mscrm.principal"));
    let owner = entity("account").children().find(|node| node.attribute("Name") == Some("ownerid"));
    assert_eq!(owner.unwrap().attribute("Type"), Some("mscrm.principal"));
    let actions = |table: &str| -> Vec<&str> {
        let kind = format!("Collection(mscrm.{table})");
        let all = tags(&document, "Action").filter(|node| {
            node.children().any(|parameter| parameter.attribute("Type") == Some(&*kind))
        });
        all.filter_map(|node| node.attribute("Name")).collect()
    };
    let three = ["CreateMultiple", "UpdateMultiple", "UpsertMultiple"];
    assert_eq!(actions("new_contract"), three);
    assert_eq!(actions("new_reading"), [&three[..], &["DeleteMultiple"]].concat());
    assert!(actions("systemuser").is_empty());
    assert!(!text.contains("Org.OData.Core.V1.Computed"));
    let annotated = desk.send("GET $metadata?annotations=true").text().to_owned();
    let document = Document::parse(&annotated).unwrap();
    let computed = |name: &str| {
        let all = tags(&document, "Property").find(|node| node.attribute("Name") == Some(name));
        all.unwrap()
            .descendants()
            .any(|node| node.attribute("Term") == Some("Org.OData.Core.V1.Computed"))
    };
    assert!(computed("new_total") && computed("createdon") && computed("_new_customerid_value"));
    assert!(!computed("new_name"));
}

#[test]
fn the_service_document_lists_entity_sets() {
    let desk = Desk::contracts("");
    let answer = desk.check("GET /api/data/v9.2/", "200").json();
    let sets: Vec<&str> = answer["value"]
        .as_array()
        .unwrap()
        .iter()
        .map(|set| set["url"].as_str().unwrap())
        .collect();
    assert!(sets.contains(&"accounts") && sets.contains(&"new_contracts"));
    assert!(!sets.contains(&"sdkmessagefilters"));
}
