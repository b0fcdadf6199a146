//! The WIT contract as Rust types, one world for each interface that a rule may
//! export. Generated; nothing here is written by hand but the worlds.
//!
//! A component is the union of the worlds whose `export_*` macro it calls, so an
//! author's crate exports just the hooks that it has. Rule code sees none of
//! this: `instance` converts.

/// `plugin`, which every rule exports, and the two imports.
pub mod rule {
    wit_bindgen::generate!({
        inline: "
            package dvsync:rules-sdk;
            world sdk-rule {
                import dvsync:rules/types@0.1.0;
                import dvsync:rules/log@0.1.0;
                import dvsync:rules/lookups@0.1.0;
                export dvsync:rules/plugin@0.1.0;
            }
        ",
        path: "../../wit/0.1",
        generate_all,
        pub_export_macro: true,
        export_macro_name: "export_plugin",
    });
}

macro_rules! hook_world {
    ($(#[$doc:meta])* $module:ident, $macro_name:literal, $inline:literal) => {
        $(#[$doc])*
        pub mod $module {
            wit_bindgen::generate!({
                inline: $inline,
                path: "../../wit/0.1",
                with: { "dvsync:rules/types@0.1.0": crate::bindings::rule::dvsync::rules::types },
                pub_export_macro: true,
                export_macro_name: $macro_name,
            });
        }
    };
}

hook_world! {
    /// `transform`.
    transform, "export_transform",
    "package dvsync:rules-sdk; world sdk-transform { export dvsync:rules/transform@0.1.0; }"
}
hook_world! {
    /// `matching`.
    matching, "export_matching",
    "package dvsync:rules-sdk; world sdk-matching { export dvsync:rules/matching@0.1.0; }"
}
hook_world! {
    /// `state`.
    state, "export_state",
    "package dvsync:rules-sdk; world sdk-state { export dvsync:rules/state@0.1.0; }"
}
hook_world! {
    /// `owner`.
    owner, "export_owner",
    "package dvsync:rules-sdk; world sdk-owner { export dvsync:rules/owner@0.1.0; }"
}

pub use rule::dvsync::rules::{log, lookups, types};
