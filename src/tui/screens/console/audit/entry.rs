//! One row of the audit log on a leaf: who did what to which thing, from where and why, whether a seal
//! covers it, and every value before and after, the changed ones first. Drawing only.

use super::super::desk::Desk;
use super::super::leaf::Leaf;
use crate::domain::money::Money;
use crate::domain::settings::{Kind, kind_of};
use crate::domain::time::Timestamp;
use crate::service::amounts::is_amount;
use crate::service::audit::AuditEntry;
use crate::tui::locale::Locale;
use crate::tui::theme::Token;
use crate::tui::vocabulary;
use crate::tui::widgets::columns::Column;
use serde_json::Value;
use std::collections::BTreeSet;

/// Columns of the names of facts.
const NAME: u16 = 11;
/// An integer in a field `…_at` beyond this is an instant in microseconds, and no number of seconds.
const INSTANT: i64 = 100_000_000_000_000;

/// Who acted: the name, else the part that was played; and who let it through.
pub(super) fn who(entry: &AuditEntry, locale: &Locale) -> String {
    let role = || entry.role.parse().map_or_else(|_| entry.role.clone(), |role| vocabulary::role(role, locale));
    let name = entry.actor.clone().unwrap_or_else(role);
    match &entry.override_by {
        Some(manager) => format!("{name} + {manager}"),
        None => name,
    }
}

/// The whole row.
pub(super) fn write<'a>(entry: &AuditEntry, mut leaf: Leaf<'a>) -> Leaf<'a> {
    leaf.note(&entry.details, Token::Title);
    leaf.blank();
    let locale = leaf.ctx.locale;
    let role = entry.role.parse().map_or_else(|_| entry.role.clone(), |role| vocabulary::role(role, locale));
    let actor = match &entry.actor {
        Some(name) => format!("{name} ({role})"),
        None => role,
    };
    let at = entry.at.to_utc().with_timezone(&leaf.desk.zone()).format("%Y-%m-%d %H:%M:%S").to_string();
    let mut facts = vec![("audit.when", at, Token::Text), ("audit.who", actor, Token::Text)];
    if let Some(manager) = &entry.override_by {
        facts.push(("audit.let_through", manager.clone(), Token::Warning));
    }
    facts.push(("audit.action", format!("{} · {}", entry.action, entry.use_case), Token::Text));
    facts.push(("audit.entity", format!("{} {}", entry.entity, entry.entity_id), Token::Text));
    if let Some(terminal) = &entry.terminal {
        facts.push(("audit.terminal", terminal.clone(), Token::Text));
    }
    if let Some(reason) = entry.reason.as_ref().filter(|reason| !reason.is_empty()) {
        facts.push(("audit.why", reason.clone(), Token::Warning));
    }
    let seal = match entry.seal {
        Some(seal) => (
            locale.t_args("audit.sealed_by", &[("seal", &seal.seal), ("from", &seal.from), ("to", &seal.to)]),
            Token::Success,
        ),
        None => (locale.t("audit.not_sealed"), Token::Muted),
    };
    facts.push(("audit.row", entry.seq.to_string(), Token::Muted));
    facts.push(("audit.seal", seal.0, seal.1));
    for (key, words, token) in facts {
        leaf.fact(&leaf.t(key), &words, NAME, token);
    }
    values(entry, &mut leaf);
    leaf
}

/// One field before and after.
#[derive(Debug, PartialEq, Eq)]
struct Change {
    name: String,
    before: Option<Value>,
    after: Option<Value>,
}

impl Change {
    fn is_change(&self) -> bool {
        self.before != self.after
    }
}

/// The fields of both values; a value that is no object is one field without a name.
fn changes(before: Option<&Value>, after: Option<&Value>) -> Vec<Change> {
    let field = |value: Option<&Value>, name: &str| match value {
        Some(Value::Object(map)) => map.get(name).cloned(),
        other => other.filter(|_| name.is_empty()).cloned(),
    };
    let mut names: BTreeSet<String> = BTreeSet::new();
    for value in [before, after].into_iter().flatten() {
        match value {
            Value::Object(map) => names.extend(map.keys().cloned()),
            _ => {
                names.insert(String::new());
            }
        }
    }
    let all = names.into_iter().map(|name| {
        let (before, after) = (field(before, &name), field(after, &name));
        Change { name, before, after }
    });
    let (mut changed, same): (Vec<Change>, Vec<Change>) = all.partition(Change::is_change);
    changed.extend(same);
    changed
}

/// Whether a field of this row is money, by its own name or by that of the setting that was set.
fn is_money(entry: &AuditEntry, name: &str) -> bool {
    let setting = || entry.entity == "Setting" && name == "value" && kind_of(&entry.entity_id) == Ok(Kind::Amount);
    is_amount(name) || setting()
}

/// A value as people read it. Money is written in minor units, or as a plain decimal.
fn shown(entry: &AuditEntry, name: &str, value: Option<&Value>, desk: &Desk) -> String {
    let typed = |text: &str| desk.currency().and_then(|currency| Money::parse(name, text, currency).ok());
    match value {
        None => "–".to_owned(),
        Some(Value::String(text)) if is_money(entry, name) => {
            typed(text).map_or_else(|| text.clone(), |amount| desk.money(amount))
        }
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => match number.as_i64() {
            Some(at) if name.ends_with("_at") && at > INSTANT => desk.instant(Timestamp(at)),
            Some(minor) if is_money(entry, name) => desk.money(Money(minor)),
            _ => number.to_string(),
        },
        Some(other) => other.to_string(),
    }
}

fn values(entry: &AuditEntry, leaf: &mut Leaf<'_>) {
    let changes = changes(entry.before.as_ref(), entry.after.as_ref());
    if changes.is_empty() {
        leaf.section(leaf.t("audit.values"));
        leaf.note(&leaf.t("audit.no_values"), Token::Muted);
        return;
    }
    let changed = i64::try_from(changes.iter().filter(|change| change.is_change()).count()).unwrap_or(i64::MAX);
    leaf.section(leaf.ctx.locale.t_plural("audit.changed", changed, &[]));
    let heads = [
        (Column::Left(1), String::new()),
        (Column::Fill, leaf.t("audit.field")),
        (Column::Fill, leaf.t("audit.before")),
        (Column::Fill, leaf.t("audit.after")),
    ];
    let rows: Vec<Vec<(String, Token)>> = changes
        .iter()
        .map(|change| {
            let (before, after) = (
                shown(entry, &change.name, change.before.as_ref(), leaf.desk),
                shown(entry, &change.name, change.after.as_ref(), leaf.desk),
            );
            if change.is_change() {
                vec![
                    ("●".to_owned(), Token::Accent),
                    (change.name.clone(), Token::Text),
                    (before, Token::Muted),
                    (after, Token::Title),
                ]
            } else {
                vec![
                    (String::new(), Token::Muted),
                    (change.name.clone(), Token::Muted),
                    (before, Token::Muted),
                    (after, Token::Muted),
                ]
            }
        })
        .collect();
    leaf.table(&heads, &rows);
    // What did not fit into its column stands below in full.
    let room = usize::from(leaf.width.saturating_sub(4) / 3);
    for change in changes.iter().filter(|change| change.is_change()) {
        for (key, value) in [("audit.before_of", &change.before), ("audit.after_of", &change.after)] {
            let words = shown(entry, &change.name, value.as_ref(), leaf.desk);
            if crate::tui::text::display_width(&words) > room {
                let title = leaf.ctx.locale.t_args(key, &[("field", &change.name)]);
                leaf.blank();
                leaf.note(&title, Token::Muted);
                leaf.note(&words, Token::Text);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn changed_fields_come_first_and_missing_ones_are_none() {
        let (before, after) = (json!({"a": 1, "price": 100, "z": true}), json!({"a": 1, "price": 120, "new": "x"}));
        let seen = changes(Some(&before), Some(&after));
        let names: Vec<(&str, bool)> = seen.iter().map(|change| (change.name.as_str(), change.is_change())).collect();
        assert_eq!(names, [("new", true), ("price", true), ("z", true), ("a", false)]);
        assert_eq!(seen[0].before, None);
    }

    #[test]
    fn values_that_are_no_objects_are_shown_too() {
        let seen = changes(Some(&json!("off")), Some(&json!("on")));
        assert_eq!(seen, [Change { name: String::new(), before: Some(json!("off")), after: Some(json!("on")) }]);
        assert!(changes(None, None).is_empty());
        assert_eq!(changes(None, Some(&json!({"a": null}))).len(), 1);
    }
}
