//! What differs between two states of a menu, field by field: the answer of an import or of its dry
//! run, the before and after of the audit log, and what a refused edit says has changed meanwhile.
//! Nothing is read, written or decided here.

use crate::domain::consumption::{Consumption, Subject};
use crate::domain::ids::{CategoryId, StationId, StockItemId, TaxClassId};
use crate::domain::menu::{Item, OptionGroup};
use crate::domain::money::Currency;
use crate::store::menu::LoadedMenu;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Fields whose values are too long for a sentence; their names alone are said.
const LONG: &[&str] = &["description", "glyph", "image_url", "options"];

/// One field that differs. Both values are text as people read it: amounts as decimals, names, yes or
/// no; empty for nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldChange {
    /// The field: `price`, `tax_class`.
    pub field: String,
    /// What it was.
    pub before: String,
    /// What it is, or would be.
    pub after: String,
}

impl FieldChange {
    /// The change in words: "price 120.00 → 130.00".
    #[must_use]
    pub fn words(&self) -> String {
        let shown = |text: &str| if text.is_empty() { "–".to_owned() } else { text.to_owned() };
        match self.field.as_str() {
            "uses" => "what it uses of the store room".to_owned(),
            "glyph" | "image_url" => "picture".to_owned(),
            field if LONG.contains(&field) => field.to_owned(),
            field => format!("{} {} → {}", field.replace('_', " "), shown(&self.before), shown(&self.after)),
        }
    }
}

/// One thing that an import changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiffEntry {
    /// tax class, station, stock item, category or item.
    pub kind: String,
    /// Its code, or its name where it has none.
    pub key: String,
    /// Its name.
    pub name: String,
    /// What changes, in words ("price 120.00 → 130.00"); empty for what is new or gone.
    pub words: Vec<String>,
    /// What changes, field by field; empty for what is new or gone.
    pub changes: Vec<FieldChange>,
}

/// What an import changes, or would change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MenuDiff {
    /// New ones.
    pub added: Vec<DiffEntry>,
    /// Those that change.
    pub changed: Vec<DiffEntry>,
    /// Those that are taken off the menu; old orders keep their copy.
    pub removed: Vec<DiffEntry>,
    /// How many stay as they are.
    pub unchanged: usize,
    /// Whether this was only tried.
    pub dry_run: bool,
}

impl MenuDiff {
    /// Whether nothing changes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.changed.is_empty() && self.removed.is_empty()
    }

    /// Whether something that is on the menu changes or goes.
    #[must_use]
    pub fn overwrites(&self) -> bool {
        !self.changed.is_empty() || !self.removed.is_empty()
    }

    /// Takes down what is new or differs; `false` where it stays as it is.
    pub(super) fn note(
        &mut self,
        kind: &str,
        key: &str,
        name: &str,
        is_new: bool,
        mut changes: Vec<FieldChange>,
    ) -> bool {
        if is_new {
            changes.clear();
        } else if changes.is_empty() {
            self.unchanged = self.unchanged.saturating_add(1);
            return false;
        }
        let list = if is_new { &mut self.added } else { &mut self.changed };
        list.push(DiffEntry {
            kind: kind.to_owned(),
            key: key.to_owned(),
            name: name.to_owned(),
            words: sentences(&changes),
            changes,
        });
        true
    }

    /// Takes down what goes.
    pub(super) fn gone(&mut self, kind: &str, key: &str, name: &str) {
        self.removed.push(DiffEntry {
            kind: kind.to_owned(),
            key: key.to_owned(),
            name: name.to_owned(),
            words: Vec::new(),
            changes: Vec::new(),
        });
    }
}

/// The changes in words, each once.
pub(super) fn sentences(changes: &[FieldChange]) -> Vec<String> {
    let mut words: Vec<String> = changes.iter().map(FieldChange::words).collect();
    words.dedup();
    words
}

/// The values before and after of every change, as two JSON objects.
pub(super) fn as_json(changes: &[FieldChange]) -> (Map<String, Value>, Map<String, Value>) {
    let before = changes.iter().map(|change| (change.field.clone(), change.before.as_str().into())).collect();
    let after = changes.iter().map(|change| (change.field.clone(), change.after.as_str().into())).collect();
    (before, after)
}

/// Takes a difference down, where there is one.
pub(super) fn differ(changes: &mut Vec<FieldChange>, field: &str, before: &str, after: &str) {
    if before != after {
        changes.push(FieldChange { field: field.to_owned(), before: before.to_owned(), after: after.to_owned() });
    }
}

pub(super) const fn yes_no(value: bool) -> &'static str {
    if value { "yes" } else { "no" }
}

/// What differs between two states of one item but for what it uses of the store room. `stored` names
/// what their ids stand for; what it does not know is "a new one".
pub(super) fn item_changes(before: &Item, after: &Item, stored: &LoadedMenu, currency: Currency) -> Vec<FieldChange> {
    let mut changes = Vec::new();
    let category = |id: CategoryId| stored.menu.category(id).map_or("a new one", |category| category.name.as_str());
    let tax = |id: Option<TaxClassId>| match id {
        None => "none",
        Some(id) => stored.tax_classes.get(&id).map_or("a new one", |stored| stored.class.name.as_str()),
    };
    let station = |id: Option<StationId>| match id {
        None => "default",
        Some(id) => stored.stations.iter().find(|s| s.id == id).map_or("a new one", |s| s.name.as_str()),
    };
    let allergens = |item: &Item| item.allergens.iter().map(|one| one.as_str()).collect::<Vec<_>>().join(", ");
    let options = |item: &Item| options_text(&item.option_groups, currency);
    differ(&mut changes, "code", &before.code, &after.code);
    differ(&mut changes, "name", &before.name, &after.name);
    differ(&mut changes, "category", category(before.category_id), category(after.category_id));
    differ(&mut changes, "price", &before.price.plain(currency), &after.price.plain(currency));
    differ(&mut changes, "tax_class", tax(before.tax_class), tax(after.tax_class));
    differ(&mut changes, "diet", before.diet.as_str(), after.diet.as_str());
    differ(&mut changes, "allergens", &allergens(before), &allergens(after));
    differ(&mut changes, "spicy", &before.spicy.to_string(), &after.spicy.to_string());
    differ(&mut changes, "prep_minutes", &before.prep_minutes.to_string(), &after.prep_minutes.to_string());
    differ(&mut changes, "station", station(before.station), station(after.station));
    differ(&mut changes, "slots", &before.slots.join(", "), &after.slots.join(", "));
    differ(&mut changes, "available", yes_no(before.available), yes_no(after.available));
    differ(&mut changes, "active", yes_no(before.active), yes_no(after.active));
    differ(&mut changes, "position", &before.position.to_string(), &after.position.to_string());
    differ(&mut changes, "description", &before.description, &after.description);
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    differ(&mut changes, "glyph", &text(&before.glyph), &text(&after.glyph));
    differ(&mut changes, "image_url", &text(&before.image_url), &text(&after.image_url));
    differ(&mut changes, "options", &options(before), &options(after));
    changes
}

/// The option groups of an item on one line: "Size (0 to 1): Small, Large +20.00".
fn options_text(groups: &[OptionGroup], currency: Currency) -> String {
    let mut groups: Vec<&OptionGroup> = groups.iter().collect();
    groups.sort_by_key(|group| group.position);
    let group = |group: &OptionGroup| {
        let mut choices: Vec<_> = group.choices.iter().collect();
        choices.sort_by_key(|choice| choice.position);
        let choices: Vec<String> = choices
            .into_iter()
            .map(|choice| {
                let sign = if choice.price_delta.is_negative() { "" } else { "+" };
                let off = if choice.available { "" } else { " (off)" };
                format!("{} {sign}{}{off}", choice.name, choice.price_delta.plain(currency))
            })
            .collect();
        format!("{} ({} to {}): {}", group.name, group.min, group.max, choices.join(", "))
    };
    groups.into_iter().map(group).collect::<Vec<_>>().join("; ")
}

/// What one sale of the item and of each of its choices uses: "samosa 3; Large: paneer 1".
pub(super) fn uses_text(item: &Item, rows: &[Consumption], code_of: impl Fn(StockItemId) -> String) -> String {
    let of = |subject: Subject| {
        let mut uses: Vec<String> = rows
            .iter()
            .filter(|row| row.subject == subject)
            .map(|row| format!("{} {}", code_of(row.stock_item_id), row.units))
            .collect();
        uses.sort_unstable();
        uses.join(", ")
    };
    let own = of(Subject::Item(item.id));
    let choices = item.option_groups.iter().flat_map(|group| &group.choices);
    let chosen = choices.filter_map(|choice| {
        let uses = of(Subject::Choice(choice.id));
        (!uses.is_empty()).then(|| format!("{}: {uses}", choice.name))
    });
    Some(own).filter(|own| !own.is_empty()).into_iter().chain(chosen).collect::<Vec<_>>().join("; ")
}
