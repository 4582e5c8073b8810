//! What was released stays readable: no field or value is renumbered, retyped or removed. `proto/released/v1.bin` is
//! the descriptor set of the last released version; a release writes it anew with `ZUOXI_RELEASE=1`.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::indexing_slicing, missing_docs)]

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use prost::Message;
use prost_types::{DescriptorProto, EnumDescriptorProto, FileDescriptorSet};

/// By full name and number: what must stay as it is.
type Facts = BTreeMap<(String, i32), String>;

fn message(facts: &mut Facts, scope: &str, message: &DescriptorProto) {
    let name = format!("{scope}.{}", message.name());
    for field in &message.field {
        let oneof = field.oneof_index.and_then(|at| message.oneof_decl.get(at as usize));
        let within = oneof
            .filter(|_| !field.proto3_optional())
            .map_or("", |oneof| oneof.name());
        let fact = format!(
            "{} {} {} {within}",
            field.r#type().as_str_name(),
            field.label().as_str_name(),
            field.type_name()
        );
        facts.insert((name.clone(), field.number()), fact);
    }
    message
        .nested_type
        .iter()
        .for_each(|nested| self::message(facts, &name, nested));
    message.enum_type.iter().for_each(|nested| values(facts, &name, nested));
}

fn values(facts: &mut Facts, scope: &str, list: &EnumDescriptorProto) {
    for value in &list.value {
        facts.insert(
            (format!("{scope}.{}", list.name()), value.number()),
            value.name().to_owned(),
        );
    }
}

fn facts(bytes: &[u8]) -> Facts {
    let mut facts = Facts::new();
    for file in FileDescriptorSet::decode(bytes).expect("a descriptor set").file {
        let scope = file.package().to_owned();
        file.message_type
            .iter()
            .for_each(|found| message(&mut facts, &scope, found));
        file.enum_type
            .iter()
            .for_each(|found| values(&mut facts, &scope, found));
    }
    facts
}

#[test]
fn nothing_released_was_renumbered_retyped_or_removed() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../proto/released/v1.bin");
    if std::env::var_os("ZUOXI_RELEASE").is_some() {
        fs::write(&path, zuoxi_wire::DESCRIPTORS).expect("proto/released can be written");
    }
    let (released, today) = (
        facts(&fs::read(path).expect("the released set")),
        facts(zuoxi_wire::DESCRIPTORS),
    );
    assert!(released.len() > 300, "the released set has {} facts", released.len());
    for (key, fact) in released {
        assert_eq!(today.get(&key), Some(&fact), "{} {}", key.0, key.1);
    }
}
