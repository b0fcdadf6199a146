//! The exports of a component, made from a rule's traits.
//!
//! Nothing is exported natively: a rule's own tests link without the contract's
//! symbols.

/// Makes the crate a rule component: `export!(Accounts: transform, matching)`.
///
/// The hooks are those whose traits the type implements: `transform`,
/// `matching`, `state`, `owner`, each at most once. Called once per crate.
#[macro_export]
macro_rules! export {
    ($rule:ty : $($hook:ident),+ $(,)?) => {
        // Natively the traits are still checked against the list.
        const _: &[$crate::instance::Hook<$rule>] = &[$($crate::__hook!($rule, $hook)),+];

        #[cfg(target_arch = "wasm32")]
        const _: () = {
            use $crate::bindings as __bindings;
            use $crate::instance::{Hook, Instance};

            struct Component;

            const HOOKS: &[Hook<$rule>] = &[$($crate::__hook!($rule, $hook)),+];

            // The contract's functions are free-standing: the configured rule
            // must live somewhere. A component has one thread.
            std::thread_local! {
                static INSTANCE: std::cell::RefCell<Option<Instance<$rule>>> =
                    const { std::cell::RefCell::new(None) };
            }

            fn with<T>(
                call: impl FnOnce(&Instance<$rule>) -> Result<T, $crate::Failure>,
            ) -> Result<T, __bindings::types::Failure> {
                INSTANCE.with_borrow(|instance| match instance {
                    Some(instance) => Ok(call(instance)?),
                    None => Err($crate::Failure::internal(
                        "not-configured",
                        "a hook was called before `configure`",
                    )
                    .into()),
                })
            }

            impl __bindings::rule::exports::dvsync::rules::plugin::Guest for Component {
                fn describe() -> __bindings::rule::exports::dvsync::rules::plugin::Description {
                    $crate::instance::describe::<$rule>()
                }

                fn needs(
                    context: __bindings::rule::exports::dvsync::rules::plugin::Context,
                ) -> Result<
                    Vec<__bindings::rule::exports::dvsync::rules::plugin::Hook>,
                    __bindings::types::Failure,
                > {
                    Ok($crate::instance::needs(&context.into(), HOOKS)?)
                }

                fn configure(
                    context: __bindings::rule::exports::dvsync::rules::plugin::Context,
                ) -> Result<(), __bindings::types::Failure> {
                    $crate::instance::log_panics();
                    let instance = Instance::new(&context.into(), HOOKS)?;
                    INSTANCE.set(Some(instance));
                    Ok(())
                }
            }

            __bindings::rule::export_plugin!(Component with_types_in __bindings::rule);
            $($crate::__export_hook!($hook, __bindings);)+
        };
    };
}

/// Name and needs of a hook. Not for authors.
#[doc(hidden)]
#[macro_export]
macro_rules! __hook {
    ($rule:ty, transform) => {
        ("transform", <$rule as $crate::Transform>::needs)
    };
    ($rule:ty, matching) => {
        ("matching", <$rule as $crate::Matching>::needs)
    };
    ($rule:ty, state) => {
        ("state", <$rule as $crate::State>::needs)
    };
    ($rule:ty, owner) => {
        ("owner", <$rule as $crate::Owner>::needs)
    };
}

/// Exports of one hook's interface, for `Component` and `with` in scope. Not for
/// authors.
#[doc(hidden)]
#[macro_export]
macro_rules! __export_hook {
    (transform, $bindings:ident) => {
        impl $bindings::transform::exports::dvsync::rules::transform::Guest for Component {
            fn apply(
                rows: u32,
                columns: Vec<$bindings::types::Column>,
            ) -> Result<
                $bindings::transform::exports::dvsync::rules::transform::Output,
                $bindings::types::Failure,
            > {
                with(|instance| instance.apply(rows, &columns))
            }
        }
        $bindings::transform::export_transform!(Component with_types_in $bindings::transform);
    };
    (matching, $bindings:ident) => {
        impl $bindings::matching::exports::dvsync::rules::matching::Guest for Component {
            fn derive(
                side: $bindings::matching::exports::dvsync::rules::matching::Side,
                rows: u32,
                columns: Vec<$bindings::types::Column>,
            ) -> Result<
                $bindings::matching::exports::dvsync::rules::matching::RowKeys,
                $bindings::types::Failure,
            > {
                with(|instance| instance.derive(side.into(), rows, &columns))
            }

            fn choose(
                rows: u32,
                incoming: Vec<$bindings::types::Column>,
                offsets: Vec<i32>,
                candidates: Vec<$bindings::types::Column>,
            ) -> Result<
                $bindings::matching::exports::dvsync::rules::matching::Choices,
                $bindings::types::Failure,
            > {
                with(|instance| instance.choose(rows, &incoming, &offsets, &candidates))
            }
        }
        $bindings::matching::export_matching!(Component with_types_in $bindings::matching);
    };
    (state, $bindings:ident) => {
        impl $bindings::state::exports::dvsync::rules::state::Guest for Component {
            fn decide(
                rows: u32,
                incoming: Vec<$bindings::types::Column>,
                current: Vec<$bindings::types::Column>,
            ) -> Result<
                $bindings::state::exports::dvsync::rules::state::Decision,
                $bindings::types::Failure,
            > {
                with(|instance| instance.state(rows, &incoming, &current))
            }
        }
        $bindings::state::export_state!(Component with_types_in $bindings::state);
    };
    (owner, $bindings:ident) => {
        impl $bindings::owner::exports::dvsync::rules::owner::Guest for Component {
            fn decide(
                rows: u32,
                incoming: Vec<$bindings::types::Column>,
                current: Vec<$bindings::types::Column>,
            ) -> Result<
                $bindings::owner::exports::dvsync::rules::owner::Decision,
                $bindings::types::Failure,
            > {
                with(|instance| instance.owner(rows, &incoming, &current))
            }
        }
        $bindings::owner::export_owner!(Component with_types_in $bindings::owner);
    };
}
