//! `servery promotion`: the promotion codes that guests may type, as the staff keeps them.

use super::app::Role;
use super::desk::{Counter, Desk};
use super::output::{Done, shown, table};
use super::shape;
use crate::domain::error::Refused;
use crate::domain::money::{Currency, Money};
use crate::domain::promo::normalise_code;
use crate::domain::time::Timestamp;
use crate::service::promotions::{
    AddPromotion, EditPromotion, ListPromotions, PromotionTerms, PromotionView, SetPromotionActive,
};
use chrono_tz::Tz;
use clap::{Args, Subcommand};

/// What takes a limit of a promotion away.
const NONE: &str = "none";

/// What can be done with promotion codes.
#[derive(Debug, Subcommand)]
pub enum Promotions {
    /// Every code, what it takes off, and how many orders hold it
    List(Filters),
    /// A new code, switched on
    Add {
        /// What the guest types: 3 to 32 of A-Z, 0-9 and -
        code: String,
        /// What staff calls it
        #[arg(long)]
        name: String,
        #[command(flatten)]
        terms: Terms,
    },
    /// Change what a code takes off, and when; what is not named stays, and "none" takes a limit away
    Edit {
        /// The code
        code: String,
        /// What staff calls it
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        terms: Terms,
    },
    /// Switch a code on
    On {
        /// The code
        code: String,
        /// Why; may be left out
        #[arg(long)]
        reason: Option<String>,
    },
    /// Switch a code off; orders that hold it keep it
    Off(Switch),
}

/// Which codes.
#[derive(Debug, Args)]
pub struct Filters {
    /// A part of the code or of the name
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    /// Only those that are switched on
    #[arg(long, group = "state")]
    on: bool,
    /// Only those that are switched off
    #[arg(long, group = "state")]
    off: bool,
    /// The most rows
    #[arg(long, default_value_t = 200)]
    limit: i64,
    /// The `next` of the page before
    #[arg(long)]
    after: Option<String>,
}

/// What it takes off, and when.
#[derive(Debug, Default, Args)]
pub struct Terms {
    /// Take off so many per cent of the items
    #[arg(long, group = "value")]
    percent: Option<String>,
    /// Take off this amount, at most what the items cost
    #[arg(long, group = "value")]
    amount: Option<String>,
    /// Only from this sum of the items on
    #[arg(long, value_name = "AMOUNT")]
    minimum: Option<String>,
    /// From this business day on
    #[arg(long, value_name = "DAY")]
    from: Option<String>,
    /// Until the end of this business day
    #[arg(long, value_name = "DAY")]
    until: Option<String>,
    /// For so many orders
    #[arg(long, value_name = "N")]
    uses: Option<String>,
    /// For so many orders of one customer; guests cannot use it then
    #[arg(long, value_name = "N")]
    per_customer: Option<String>,
}

/// Which code, and why.
#[derive(Debug, Args)]
pub struct Switch {
    /// The code
    code: String,
    /// Why
    #[arg(long)]
    reason: String,
}

/// Runs the command.
///
/// # Errors
/// What the use cases refuse.
pub async fn run(command: Promotions, desk: &Desk) -> Done {
    let counter = desk.counter(Role::Command).await?;
    let view = match command {
        Promotions::List(filters) => return list(filters, &counter).await,
        Promotions::Add { code, name, terms } => {
            let terms = terms.over(PromotionTerms { name, ..PromotionTerms::default() }, &counter).await?;
            counter.execute(AddPromotion { code, terms }).await?
        }
        Promotions::Edit { code, name, terms } => {
            let seen = find(&counter, &code).await?;
            let before = PromotionTerms { name: name.unwrap_or(seen.terms.name), ..seen.terms };
            let terms = terms.over(before, &counter).await?;
            counter.execute(EditPromotion { promotion: seen.code, seen_version: Some(seen.version), terms }).await?
        }
        Promotions::On { code, reason } => {
            let reason = reason.unwrap_or_default();
            counter.execute(SetPromotionActive { promotion: code, active: true, reason }).await?
        }
        Promotions::Off(Switch { code, reason }) => {
            counter.execute(SetPromotionActive { promotion: code, active: false, reason }).await?
        }
    };
    let (currency, zone) = (counter.house.site.currency, counter.house.site.zone);
    let value = shape::own(&view, currency)?;
    counter.output().answer(&value, || words(&[view], currency, zone))
}

async fn find(counter: &Counter<'_>, code: &str) -> Result<PromotionView, Refused> {
    let code = normalise_code(code);
    let mut ask = ListPromotions { search: Some(code.clone()), active: None, after: None, limit: 200 };
    loop {
        let page = counter.ask(ask.clone()).await?;
        if let Some(found) = page.items.into_iter().find(|promotion| promotion.code == code) {
            return Ok(found);
        }
        ask.after = Some(page.next.ok_or_else(|| Refused::not_found("promotion", shown(&code)))?);
    }
}

impl Terms {
    /// What was named, over what there was.
    async fn over(self, before: PromotionTerms, counter: &Counter<'_>) -> Result<PromotionTerms, Refused> {
        let currency = counter.house.site.currency;
        let mut terms = before;
        if self.percent.is_some() {
            (terms.percent, terms.amount) = (self.percent, None);
        }
        if let Some(amount) = self.amount {
            (terms.percent, terms.amount) = (None, Some(Money::parse("amount", &amount, currency)?));
        }
        if let Some(minimum) = self.minimum {
            terms.minimum = if minimum == NONE { Money::ZERO } else { Money::parse("minimum", &minimum, currency)? };
        }
        for (field, text, at, is_end) in
            [("from", self.from, &mut terms.starts_at, false), ("until", self.until, &mut terms.ends_at, true)]
        {
            match text.as_deref() {
                None => {}
                Some(NONE) => *at = None,
                text => *at = counter.instant(field, text, is_end).await?,
            }
        }
        for (field, text, count) in
            [("uses", self.uses, &mut terms.limit), ("per_customer", self.per_customer, &mut terms.per_customer)]
        {
            match text.as_deref() {
                None => {}
                Some(NONE) => *count = None,
                Some(text) => {
                    let number = text.parse().map_err(|_| Refused::invalid(field, "A whole number, or none."))?;
                    *count = Some(number);
                }
            }
        }
        Ok(terms)
    }
}

async fn list(filters: Filters, counter: &Counter<'_>) -> Done {
    let active = match (filters.on, filters.off) {
        (true, _) => Some(true),
        (_, true) => Some(false),
        _ => None,
    };
    let query = ListPromotions { search: filters.search, active, after: filters.after, limit: filters.limit };
    let page = counter.ask(query).await?;
    let (currency, zone) = (counter.house.site.currency, counter.house.site.zone);
    let value = shape::own_page(&page, currency)?;
    counter.output().answer(&value, || words(&page.items, currency, zone))
}

fn words(promotions: &[PromotionView], currency: Currency, zone: Tz) -> String {
    let day = |at: Option<Timestamp>| {
        at.map_or_else(String::new, |at| at.to_utc().with_timezone(&zone).format("%Y-%m-%d %H:%M").to_string())
    };
    let rows: Vec<Vec<String>> = promotions
        .iter()
        .map(|promotion| {
            let terms = &promotion.terms;
            let off = match (&terms.percent, terms.amount) {
                (Some(percent), _) => format!("{percent} %"),
                (None, Some(amount)) => amount.display(currency),
                (None, None) => String::new(),
            };
            let uses = match terms.limit {
                Some(limit) => format!("{} of {limit}", promotion.uses),
                None => promotion.uses.to_string(),
            };
            let minimum = if terms.minimum.is_zero() { String::new() } else { terms.minimum.display(currency) };
            let state = if promotion.active { "on" } else { "off" };
            vec![
                promotion.code.clone(),
                terms.name.clone(),
                off,
                minimum,
                day(terms.starts_at),
                day(terms.ends_at),
                uses,
                state.to_owned(),
            ]
        })
        .collect();
    table(&["CODE", "NAME", "TAKES OFF>", "FROM SUM>", "FROM", "UNTIL", "USES>", ""], &rows)
}
