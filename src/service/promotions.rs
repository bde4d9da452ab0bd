//! Promotion codes as the staff keeps them (add, edit, switch on and off, list), and how a cart and an order come by
//! theirs: the code is judged by `domain::promo`, an order claims a use with its hold (I16).

use super::door::{Context, Query, UseCase, View};
use super::paging;
use super::staff::reason;
use super::views::Page;
use crate::domain::access::Permission;
use crate::domain::error::Refused;
use crate::domain::ids::{CustomerId, PromotionId};
use crate::domain::money::{Money, Rate};
use crate::domain::promo::{self, Promotion, PromotionKind};
use crate::domain::text;
use crate::domain::time::Timestamp;
use crate::store::promotions::PromotionRow;
use crate::store::records::AuditRow;
use crate::store::{Tx, promotions};
use serde::{Deserialize, Serialize};

/// The longest name, as the store has it.
pub const MAX_NAME: usize = 100;
/// The most rows of one page.
const MAX_PAGE: i64 = 200;

/// What a promotion takes off, and when: everything of it but its code.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromotionTerms {
    /// What staff calls it.
    pub name: String,
    /// Per cent of the subtotal (`10`, `7.5`); either this or an amount.
    #[serde(default)]
    pub percent: Option<String>,
    /// An amount, in minor units, of which at most the subtotal is taken off.
    #[serde(default)]
    pub amount: Option<Money>,
    /// The least subtotal; zero for none.
    #[serde(default)]
    pub minimum: Money,
    /// The first instant; none: since ever.
    #[serde(default)]
    pub starts_at: Option<Timestamp>,
    /// The instant at which it is over; none: for ever.
    #[serde(default)]
    pub ends_at: Option<Timestamp>,
    /// How many orders may use it; none: without limit.
    #[serde(default)]
    pub limit: Option<i64>,
    /// How many orders of one customer may use it; none: without limit. Guests are not known again, so they cannot use
    /// a code that has such a limit.
    #[serde(default)]
    pub per_customer: Option<i64>,
}

/// A promotion code as staff sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromotionView {
    /// Its identity.
    pub id: PromotionId,
    /// What the guest types.
    pub code: String,
    /// What it takes off.
    #[serde(flatten)]
    pub terms: PromotionTerms,
    /// How many orders hold it now.
    pub uses: i64,
    /// Whether it is switched on.
    pub active: bool,
    /// Raised by every edit.
    pub version: i64,
}

/// Adds a promotion code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddPromotion {
    /// What the guest types: 3 to 32 of A-Z, 0-9 and `-`; small letters are raised.
    pub code: String,
    /// What it takes off.
    #[serde(flatten)]
    pub terms: PromotionTerms,
}

/// Changes a promotion code. Orders that were placed keep what it took off; open carts are priced anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EditPromotion {
    /// Its code, or its id.
    pub promotion: String,
    /// The version that the form showed; a newer one refuses the edit. None: whatever it is now.
    #[serde(default)]
    pub seen_version: Option<i64>,
    /// What it takes off from now on.
    #[serde(flatten)]
    pub terms: PromotionTerms,
}

/// Switches a promotion code on or off. Off takes something away from guests, and asks why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetPromotionActive {
    /// Its code, or its id.
    pub promotion: String,
    /// Whether guests may use it.
    pub active: bool,
    /// Why; may be left out where it is switched on.
    #[serde(default)]
    pub reason: String,
}

/// The promotion codes by code.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListPromotions {
    /// A part of the code or of the name.
    #[serde(default)]
    pub search: Option<String>,
    /// Only those that are switched on, or off.
    #[serde(default)]
    pub active: Option<bool>,
    /// The `next` of the page before.
    #[serde(default)]
    pub after: Option<String>,
    /// The most rows, 1 to 200.
    pub limit: i64,
}

/// A promotion with what is known of its uses, for a cart or an order.
#[derive(Debug, Clone)]
pub(super) struct Applied {
    pub promotion: Promotion,
    uses: i64,
    by_customer: Option<i64>,
}

impl Applied {
    /// Whether it may be used now for this subtotal.
    pub fn judge(&self, now: Timestamp, subtotal: Money) -> Result<(), Refused> {
        promo::validate(&self.promotion, now, subtotal, self.uses, self.by_customer)
    }

    /// The refusal of one whose last use went to another order just now.
    pub fn used_up(&self) -> Refused {
        not_claimable("used_up", "This code is used up.", &self.promotion.code)
    }
}

fn not_claimable(reason: &str, message: &str, code: &str) -> Refused {
    Refused::invalid("promo_code", message).by_guard("promo_claimable").with("reason", reason).with("code", code)
}

/// A promotion and its uses, for this customer.
pub(super) async fn applied(
    tx: &mut Tx,
    site: &str,
    row: PromotionRow,
    customer: CustomerId,
) -> Result<Applied, Refused> {
    let uses = row.uses;
    let promotion = to_promotion(row)?;
    let by_customer = match promotion.per_customer {
        Some(_) => promotions::uses_by(tx, site, customer, promotion.id).await?,
        None => None,
    };
    Ok(Applied { promotion, uses, by_customer })
}

fn to_promotion(row: PromotionRow) -> Result<Promotion, Refused> {
    let kind = match (row.rate_ppm, row.amount) {
        (Some(ppm), None) => PromotionKind::Percent(Rate(ppm)),
        (None, Some(amount)) => PromotionKind::Amount(Money(amount)),
        _ => return Err(Refused::internal("a promotion of neither kind")),
    };
    Ok(Promotion {
        id: PromotionId(row.id),
        code: row.code,
        kind,
        minimum: Money(row.minimum_subtotal),
        starts_at: row.starts_at.map(Timestamp),
        ends_at: row.ends_at.map(Timestamp),
        limit: row.use_limit,
        per_customer: row.per_customer_limit,
        active: row.active,
    })
}

fn to_view(row: PromotionRow) -> Result<PromotionView, Refused> {
    let (uses, version, name) = (row.uses, row.updated_at, row.name.clone());
    let promotion = to_promotion(row)?;
    let (percent, amount) = match promotion.kind {
        PromotionKind::Percent(rate) => (Some(rate.plain()), None),
        PromotionKind::Amount(amount) => (None, Some(amount)),
    };
    let terms = PromotionTerms {
        name,
        percent,
        amount,
        minimum: promotion.minimum,
        starts_at: promotion.starts_at,
        ends_at: promotion.ends_at,
        limit: promotion.limit,
        per_customer: promotion.per_customer,
    };
    Ok(PromotionView { id: promotion.id, code: promotion.code, terms, uses, active: promotion.active, version })
}

/// The row of a promotion with these terms, of which `row` gives the rest.
fn with_terms(row: PromotionRow, terms: &PromotionTerms) -> Result<PromotionRow, Refused> {
    let kind = match (&terms.percent, terms.amount) {
        (Some(percent), None) => PromotionKind::Percent(Rate::parse_percent("percent", percent)?),
        (None, Some(amount)) => PromotionKind::Amount(amount),
        _ => return Err(Refused::invalid("value", "Either a percentage or an amount.")),
    };
    let name = text::clean(&terms.name, MAX_NAME, false);
    if name.is_empty() {
        return Err(Refused::invalid("name", "This cannot be empty."));
    }
    let (word, rate_ppm, amount) = match kind {
        PromotionKind::Percent(rate) => ("percent", Some(rate.0), None),
        PromotionKind::Amount(amount) => ("amount", None, Some(amount.0)),
    };
    let row = PromotionRow {
        name,
        kind: word.to_owned(),
        rate_ppm,
        amount,
        minimum_subtotal: terms.minimum.0,
        starts_at: terms.starts_at.map(|at| at.0),
        ends_at: terms.ends_at.map(|at| at.0),
        use_limit: terms.limit,
        per_customer_limit: terms.per_customer,
        ..row
    };
    to_promotion(row.clone())?.check()?;
    // Orders that hold it now keep it: a limit cannot fall below them.
    if row.use_limit.is_some_and(|limit| limit < row.uses) {
        return Err(Refused::invalid("limit", format!("{} orders hold it already.", row.uses)).with("uses", row.uses));
    }
    Ok(row)
}

async fn found(context: &mut Context<'_>, named: &str) -> Result<PromotionRow, Refused> {
    let site = context.site.id.clone();
    let code = promo::normalise_code(named);
    let by_code = promotions::find_code(context.tx, &site, &code).await?;
    let row = match (by_code, named.parse::<PromotionId>()) {
        (Some(row), _) => Some(row),
        (None, Ok(id)) => promotions::find(context.tx, &site, id).await?,
        (None, Err(_)) => None,
    };
    row.ok_or_else(|| Refused::not_found("promotion", text::clean(&code, MAX_NAME, false)))
}

/// Reads what was written, and notes it for the audit log.
async fn written(
    context: &mut Context<'_>,
    id: PromotionId,
    (action, words): (&'static str, &str),
    before: Option<&PromotionView>,
    reason: Option<String>,
) -> Result<PromotionView, Refused> {
    let site = context.site.id.clone();
    let row = promotions::find(context.tx, &site, id).await?;
    let view = to_view(row.ok_or_else(|| Refused::internal("a promotion is gone"))?)?;
    let json = |view: &PromotionView| serde_json::to_value(view).map_err(Refused::internal);
    context.audit(AuditRow {
        action,
        entity: "Promotion",
        entity_id: id.to_string(),
        details: format!("{}: {words}", view.code),
        before: before.map(json).transpose()?,
        after: Some(json(&view)?),
        reason,
    });
    Ok(view)
}

impl UseCase for AddPromotion {
    type Output = PromotionView;
    const NAME: &'static str = "promotion_add";
    const PERMISSION: Permission = Permission::MenuWrite;

    async fn run(&self, context: &mut Context<'_>) -> Result<PromotionView, Refused> {
        let (site, now) = (context.site.id.clone(), context.now.0);
        let code = promo::normalise_code(&self.code);
        let row = PromotionRow {
            id: context.new_id(),
            code,
            name: String::new(),
            kind: String::new(),
            rate_ppm: None,
            amount: None,
            minimum_subtotal: 0,
            starts_at: None,
            ends_at: None,
            use_limit: None,
            per_customer_limit: None,
            uses: 0,
            active: true,
            created_at: now,
            updated_at: now,
        };
        let row = with_terms(row, &self.terms)?;
        if promotions::find_code(context.tx, &site, &row.code).await?.is_some() {
            return Err(Refused::conflict(format!("There is a promotion '{}' already.", row.code))
                .with("field", "code")
                .help("Choose another code, or edit that one."));
        }
        promotions::insert(context.tx, &site, &row).await?;
        written(context, PromotionId(row.id), ("CREATE", "was added"), None, None).await
    }
}

impl UseCase for EditPromotion {
    type Output = PromotionView;
    const NAME: &'static str = "promotion_edit";
    const PERMISSION: Permission = Permission::MenuWrite;

    async fn run(&self, context: &mut Context<'_>) -> Result<PromotionView, Refused> {
        let (site, now) = (context.site.id.clone(), context.now);
        let seen = found(context, &self.promotion).await?;
        let before = to_view(seen.clone())?;
        let id = before.id;
        if self.seen_version.is_some_and(|version| version != before.version) {
            return Err(changed_meanwhile(&before));
        }
        let row = with_terms(seen.clone(), &self.terms)?;
        if row == seen {
            return Ok(before);
        }
        if !promotions::update(context.tx, &site, &row, now).await? {
            return Err(changed_meanwhile(&before));
        }
        written(context, id, ("UPDATE", "was changed"), Some(&before), None).await
    }
}

/// The refusal of an edit that saw another version than `view`, the one that there is now.
fn changed_meanwhile(view: &PromotionView) -> Refused {
    let now = serde_json::to_value(view).unwrap_or_default();
    Refused::conflict(format!("'{}' was changed meanwhile.", view.code))
        .by_guard("seen_version")
        .with("now", now)
        .help("Look at it again and repeat your change.")
}

impl UseCase for SetPromotionActive {
    type Output = PromotionView;
    const NAME: &'static str = "promotion_set_active";
    const PERMISSION: Permission = Permission::MenuWrite;

    async fn run(&self, context: &mut Context<'_>) -> Result<PromotionView, Refused> {
        let why = match self.reason.trim() {
            "" if self.active => None,
            _ => Some(reason(&self.reason)?),
        };
        let (site, now) = (context.site.id.clone(), context.now);
        let seen = found(context, &self.promotion).await?;
        let before = to_view(seen.clone())?;
        let row = PromotionRow { active: self.active, ..seen };
        if row.active == before.active {
            return Ok(before);
        }
        if !promotions::update(context.tx, &site, &row, now).await? {
            return Err(changed_meanwhile(&before));
        }
        let words = if self.active { "was switched on" } else { "was switched off" };
        written(context, before.id, ("UPDATE", words), Some(&before), why).await
    }
}

impl Query for ListPromotions {
    type Output = Page<PromotionView>;
    const PERMISSION: Permission = Permission::MenuWrite;

    async fn run(&self, view: &mut View<'_>) -> Result<Page<PromotionView>, Refused> {
        paging::check_limit(self.limit, MAX_PAGE)?;
        let site = view.site.id.clone();
        let filter = (paging::given(self.search.as_ref()), self.active);
        let after = self.after.clone().unwrap_or_default();
        let (mut rows, count) = promotions::page(view.tx, &site, filter, &after, self.limit.saturating_add(1)).await?;
        let next = paging::cut(&mut rows, self.limit, |row| row.code.clone());
        let items = rows.into_iter().map(to_view).collect::<Result<_, _>>()?;
        Ok(Page::counted(items, next, count))
    }
}

/// The promotion of a code that a guest typed. Whether it is unknown or switched off is told alike.
pub(super) async fn by_code(context: &mut Context<'_>, typed: &str, customer: CustomerId) -> Result<Applied, Refused> {
    let site = context.site.id.clone();
    let code = promo::normalise_code(typed);
    let row = promotions::find_code(context.tx, &site, &code).await?;
    let unknown = || not_claimable("inactive", "This code is not valid.", &text::clean(&code, MAX_NAME, false));
    applied(context.tx, &site, row.ok_or_else(unknown)?, customer).await
}
