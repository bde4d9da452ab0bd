//! The same race on both databases; which one a test runs on is its only difference.

/// The same race on both databases: `on_both!(name, |arena| { .. })`.
macro_rules! on_both {
    ($name:ident, |$arena:ident| $body:block) => {
        mod $name {
            #[allow(unused_imports, clippy::allow_attributes, reason = "not every test needs all of its file's")]
            use super::*;
            fn run(kind: $crate::arena::Kind) {
                #[allow(unused_mut, clippy::allow_attributes, reason = "not every race rolls dice")]
                let Some(mut $arena) = $crate::arena::Arena::demo(kind) else { return };
                $body
            }
            #[test]
            fn on_sqlite() {
                run($crate::arena::Kind::Sqlite);
            }
            #[test]
            fn on_postgres() {
                run($crate::arena::Kind::Postgres);
            }
        }
    };
}
pub(crate) use on_both;
