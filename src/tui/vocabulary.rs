//! The words of the domain in the words of the catalogue: statuses, ways of paying, roles, events. Each
//! section of the catalogue has one entry for each word of the domain, and no other (by test).

use super::locale::Locale;
use crate::domain::access::Role;
use crate::domain::fulfilment::Fulfilment;
use crate::domain::order::{AssignmentStatus, EndReason, EventKind, Status};
use crate::domain::payment::{AttemptMethod, AttemptStatus, Method, PaymentStatus, RefundStatus};
use crate::service::deliveries::AddressProblem;
use crate::service::health::ConcernKind;
use crate::service::terminals::TerminalRole;

macro_rules! vocabulary {
    ($($(#[$doc:meta])* $name:ident($kind:ty) in $section:literal;)+) => {
        $($(#[$doc])*
        #[must_use]
        pub fn $name(value: $kind, locale: &Locale) -> String {
            locale.t(&format!("{}.{}", $section, value.as_str()))
        })+

        /// Whether a key of the catalogue stands for a word of the domain.
        #[must_use]
        pub fn is_own(key: &str) -> bool {
            match key.split_once('.') {
                $(Some(($section, word)) => <$kind>::ALL.iter().any(|value| value.as_str() == word),)+
                _ => false,
            }
        }

        #[cfg(test)]
        fn every_key() -> Vec<String> {
            let mut keys = Vec::new();
            $(keys.extend(<$kind>::ALL.iter().map(|value| format!("{}.{}", $section, value.as_str())));)+
            keys
        }
    };
}

vocabulary! {
    /// Where an order stands.
    status(Status) in "status";
    /// How an order is to be paid.
    method(Method) in "method";
    /// How an attempt to pay was made.
    attempt_method(AttemptMethod) in "attempt_method";
    /// How it reaches the customer.
    fulfilment(Fulfilment) in "fulfilment";
    /// Whether it is paid.
    payment(PaymentStatus) in "payment";
    /// Where an attempt stands.
    attempt(AttemptStatus) in "attempt";
    /// Where a refund stands.
    refund(RefundStatus) in "refund_status";
    /// The part that somebody plays.
    role(Role) in "role";
    /// Why an order ended.
    end_reason(EndReason) in "end_reason";
    /// What happens to an order.
    event(EventKind) in "event";
    /// What happened to an order.
    step(EventKind) in "step";
    /// Where a courier stands with an order.
    assignment(AssignmentStatus) in "assignment";
    /// Why an address is not shown.
    address_problem(AddressProblem) in "address_problem";
    /// What a terminal is for.
    terminal_role(TerminalRole) in "terminal_role";
    /// What is of concern about the house.
    concern(ConcernKind) in "concern";
    /// What to do about it.
    concern_help(ConcernKind) in "concern_help";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_the_domain_is_in_the_catalogue() {
        let english = Locale::load(None).expect("English");
        let missing: Vec<String> = every_key().into_iter().filter(|key| !english.has(key)).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }
}
