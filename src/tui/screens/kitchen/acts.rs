//! The steps that are under way: one per order, each with its idempotency key, so that a key pressed
//! twice never acts twice and a repeat after a lost answer is the same command again.

use super::message::{Act, Effect};
use crate::domain::ids::OrderId;
use std::collections::{BTreeMap, BTreeSet};

/// A step that was asked for.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) order: OrderId,
    pub(super) act: Act,
    seen_version: i64,
    key: String,
}

/// The steps under way.
#[derive(Debug)]
pub(super) struct Acts {
    /// Unlike that of every other run of a board, so that keys never meet.
    prefix: String,
    count: u64,
    open: BTreeMap<OrderId, Asked>,
    /// Answered, but the picture still shows how it was before: another press was meant for that
    /// picture.
    settling: BTreeSet<OrderId>,
    /// The answer was lost: the same step again carries the same key.
    lost: BTreeMap<OrderId, Asked>,
}

impl Acts {
    pub(super) fn new(prefix: String) -> Self {
        Self { prefix, count: 0, open: BTreeMap::new(), settling: BTreeSet::new(), lost: BTreeMap::new() }
    }

    /// A key that was never given before.
    pub(super) fn next_key(&mut self) -> String {
        self.count = self.count.saturating_add(1);
        format!("{}-{}", self.prefix, self.count)
    }

    /// The effect for a step; `None` while one of the same order is under way.
    pub(super) fn start(&mut self, order: OrderId, seen_version: i64, act: Act) -> Option<Effect> {
        if self.is_busy(order) {
            return None;
        }
        let again = self.lost.remove(&order).filter(|lost| lost.act == act);
        let (key, seen_version) = match again {
            Some(lost) => (lost.key, lost.seen_version),
            None => (self.next_key(), seen_version),
        };
        let asked = Asked { order, act: act.clone(), seen_version, key: key.clone() };
        self.open.insert(order, asked);
        Some(Effect::Act { order, seen_version, act, key })
    }

    /// Whether a step of the order is under way, or not yet in the picture.
    pub(super) fn is_busy(&self, order: OrderId) -> bool {
        self.open.contains_key(&order) || self.settling.contains(&order)
    }

    /// The step with this key is answered; `None` where none waits for it.
    pub(super) fn finish(&mut self, key: &str) -> Option<Asked> {
        let order = self.open.values().find(|asked| asked.key == key).map(|asked| asked.order)?;
        self.settling.insert(order);
        self.open.remove(&order)
    }

    /// The answer to a step says nothing about whether it was done.
    pub(super) fn lose(&mut self, asked: Asked) {
        self.lost.insert(asked.order, asked);
    }

    /// No answer will come to anything that is under way.
    pub(super) fn lose_all(&mut self) {
        self.settling.clear();
        for asked in std::mem::take(&mut self.open).into_values() {
            self.lose(asked);
        }
    }

    /// The picture is up to date.
    pub(super) fn settle(&mut self) {
        self.settling.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const ORDER: OrderId = OrderId(Uuid::from_u128(1));

    fn key(effect: Option<Effect>) -> String {
        match effect {
            Some(Effect::Act { key, .. }) => key,
            other => panic!("{other:?} is no step"),
        }
    }

    #[test]
    fn one_step_of_an_order_at_a_time() {
        let mut acts = Acts::new("board".to_owned());
        let first = key(acts.start(ORDER, 3, Act::HandOver));
        assert_eq!(acts.start(ORDER, 3, Act::HandOver), None);
        assert_eq!(acts.start(ORDER, 3, Act::Recall), None);
        assert!(acts.finish(&first).is_some());
        assert!(acts.finish(&first).is_none());
        assert_eq!(acts.start(ORDER, 3, Act::Recall), None, "the picture is still the old one");
        acts.settle();
        assert_ne!(key(acts.start(ORDER, 4, Act::Recall)), first);
    }

    #[test]
    fn a_repeat_after_a_lost_answer_is_the_same_command() {
        let mut acts = Acts::new("board".to_owned());
        let first = acts.start(ORDER, 3, Act::HandOver);
        acts.lose_all();
        assert_eq!(acts.start(ORDER, 4, Act::HandOver), first);
        acts.lose_all();
        assert_ne!(acts.start(ORDER, 4, Act::Recall), first);
    }
}
