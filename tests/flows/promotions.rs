//! Promotion codes on both databases: what a cart may use, what an order claims and gives back, and who is too late.

use crate::house::*;
use crate::on_both;
use crate::support::wait::LIMIT;
use servery::domain::error::{ErrorCode, Refused};
use servery::domain::fulfilment::Fulfilment;
use servery::domain::money::Money;
use servery::domain::order::Status;
use servery::domain::payment::Method;
use servery::domain::time::Timestamp;
use servery::service::Caller;
use servery::service::cart::{CartPromotion, CartSetQuantity, ShowCart};
use servery::service::doctor;
use servery::service::orders::{CancelOrder, StaffCancelOrder};
use servery::service::place::PlaceOrder;
use servery::service::promotions::{
    AddPromotion, EditPromotion, ListPromotions, PromotionTerms, PromotionView, SetPromotionActive,
};
use servery::service::views::CartView;

fn ten_percent() -> PromotionTerms {
    PromotionTerms { name: "Lunch".to_owned(), percent: Some("10".to_owned()), ..PromotionTerms::default() }
}

async fn add(house: &House, code: &str, terms: PromotionTerms) -> PromotionView {
    house.run(&house.admin, AddPromotion { code: code.to_owned(), terms }).await
}

async fn seen(house: &House, code: &str) -> PromotionView {
    let ask = ListPromotions { search: Some(code.to_owned()), active: None, after: None, limit: 10 };
    let page = house.door.ask(&house.admin, ask).await.expect("the promotions");
    page.items.into_iter().find(|promotion| promotion.code == code).expect("the promotion")
}

async fn use_code(house: &House, guest: &Guest, code: &str) -> Result<CartView, Refused> {
    let code = CartPromotion { cart: guest.cart, code: Some(code.to_owned()) };
    house.door.execute(&guest.caller, None, code).await
}

/// A guest with two cans in the cart and this code.
async fn guest_with(house: &House, code: &str) -> Guest {
    let (guest, item) = (house.guest(), house.plain_item().await);
    house.cart(&guest, &item, 2, Fulfilment::Pickup).await;
    use_code(house, &guest, code).await.expect("the code is good");
    guest
}

fn place(guest: &Guest, method: Method) -> PlaceOrder {
    PlaceOrder {
        cart: guest.cart,
        method,
        called_name: None,
        pay_now: false,
        delivery_address: None,
        retry_of: None,
        expected_total: None,
    }
}

fn why(refused: &Refused) -> &str {
    assert_eq!((refused.code, refused.guard), (ErrorCode::ValidationError, Some("promo_claimable")), "{refused:?}");
    refused.details["reason"].as_str().expect("a reason")
}

async fn healthy(house: &House) {
    let report = doctor::examine(&house.door, &Caller::System).await.expect("doctor");
    let violations: Vec<_> = report.violations().collect();
    assert!(violations.is_empty(), "{violations:#?}");
}

on_both!(an_order_holds_its_promotion_until_it_is_dropped, |house| {
    let promotion = add(&house, "lunch-10", ten_percent()).await;
    assert_eq!((promotion.code.as_str(), promotion.active, promotion.uses), ("LUNCH-10", true, 0));
    let guest = guest_with(&house, " lunch-10 ").await;
    let cart = house.door.ask(&guest.caller, ShowCart { cart: guest.cart }).await.expect("the cart");
    let whole = cart.subtotal.0;
    assert_eq!(cart.discount.0, (whole + 5) / 10, "{cart:?}");
    assert_eq!(
        cart.promotion.as_ref().map(|used| (used.code.as_str(), used.refused.is_none())),
        Some(("LUNCH-10", true))
    );
    assert_eq!(seen(&house, "LUNCH-10").await.uses, 0, "a cart claims nothing");

    // Cancelled before it is paid: the use is free again, and the cart keeps its code.
    let placed = house.run(&guest.caller, place(&guest, Method::Card)).await.order;
    assert_eq!((placed.discount, placed.total), (cart.discount, cart.total));
    assert_eq!(seen(&house, "LUNCH-10").await.uses, 1);
    house.run(&guest.caller, CancelOrder { order: placed.id, reason: String::new() }).await;
    assert_eq!(seen(&house, "LUNCH-10").await.uses, 0);
    healthy(&house).await;

    // Paid, and cancelled by the house with all the money back.
    let again = house.place(&guest, Method::Card, true).await;
    let paid = house.answer(&again, captured(&again.order)).await.order;
    assert_eq!((paid.status, paid.discount), (Status::Confirmed, cart.discount));
    assert_eq!(seen(&house, "LUNCH-10").await.uses, 1);
    healthy(&house).await;
    let cancel = StaffCancelOrder { order: paid.id, reason: "no gas".to_owned() };
    let cancelled = house.run(&house.kitchen, cancel).await;
    assert_eq!(cancelled.refunds.iter().map(|refund| refund.amount.0).sum::<i64>(), cart.total.0);
    assert_eq!(seen(&house, "LUNCH-10").await.uses, 0);
    healthy(&house).await;
});

on_both!(a_code_is_used_as_often_as_it_may_be, |house| {
    add(&house, "ONCE", PromotionTerms { limit: Some(1), ..ten_percent() }).await;
    let (first, second) = (guest_with(&house, "ONCE").await, guest_with(&house, "ONCE").await);
    // Both saw the discount; one of them gets it.
    let limit = tokio::time::timeout(LIMIT, async {
        tokio::join!(
            house.door.execute(&first.caller, None, place(&first, Method::Cash)),
            house.door.execute(&second.caller, None, place(&second, Method::Cash))
        )
    });
    let (won, late) = match limit.await.expect("in time") {
        (Ok(won), Err(late)) => ((&first, won), (&second, late)),
        (Err(late), Ok(won)) => ((&second, won), (&first, late)),
        other => panic!("{other:?}"),
    };
    assert_eq!(why(&late.1), "used_up");
    let view = house.door.ask(&late.0.caller, ShowCart { cart: late.0.cart }).await.expect("the cart");
    assert_eq!(
        (view.discount, view.promotion.and_then(|used| used.refused)),
        (Money::ZERO, Some("used_up".to_owned()))
    );
    // Without the code it is an order like any other.
    house.run(&late.0.caller, CartPromotion { cart: late.0.cart, code: None }).await;
    let full = house.run(&late.0.caller, place(late.0, Method::Cash)).await.order;
    assert!(full.discount.is_zero() && full.total > won.1.order.total, "{full:?}");
    healthy(&house).await;
    // What an order holds bounds what the limit may become.
    let edit = |limit| EditPromotion {
        promotion: "once".to_owned(),
        seen_version: None,
        terms: PromotionTerms { limit: Some(limit), ..ten_percent() },
    };
    assert_eq!(house.run(&house.admin, edit(2)).await.terms.limit, Some(2));
    let third = guest_with(&house, "ONCE").await;
    house.run(&third.caller, place(&third, Method::Cash)).await;
    let refused = house.refused(&house.admin, edit(1)).await;
    assert_eq!((refused.code, refused.details["field"].as_str()), (ErrorCode::ValidationError, Some("limit")));
});

on_both!(a_code_that_no_longer_holds_is_refused_at_the_order, |house| {
    let item = house.plain_item().await;
    let terms = PromotionTerms { minimum: Money(item.price.0 * 2), ..ten_percent() };
    let promotion = add(&house, "BIG", terms.clone()).await;
    let guest = guest_with(&house, "BIG").await;
    let cart = house.door.ask(&guest.caller, ShowCart { cart: guest.cart }).await.expect("the cart");
    let line = cart.lines.first().expect("a line").id;
    let fewer = house.run(&guest.caller, CartSetQuantity { cart: guest.cart, line, quantity: 1 }).await;
    assert_eq!(fewer.promotion.and_then(|used| used.refused), Some("minimum".to_owned()));
    assert!(fewer.discount.is_zero(), "{:?}", fewer.trace);
    assert_eq!(why(&house.refused(&guest.caller, place(&guest, Method::Cash)).await), "minimum");
    house.run(&guest.caller, CartSetQuantity { cart: guest.cart, line, quantity: 2 }).await;

    // Ended between the quote and the order; then switched off; then as it was.
    let edit = |version, ends_at| EditPromotion {
        promotion: promotion.id.to_string(),
        seen_version: Some(version),
        terms: PromotionTerms { ends_at, ..terms.clone() },
    };
    let ended = house.run(&house.admin, edit(promotion.version, Some(Timestamp(1_000)))).await;
    assert_eq!(why(&house.refused(&guest.caller, place(&guest, Method::Cash)).await), "ended");
    let stale = house.refused(&house.admin, edit(promotion.version, None)).await;
    assert_eq!((stale.code, stale.guard), (ErrorCode::Conflict, Some("seen_version")));
    house.run(&house.admin, edit(ended.version, None)).await;
    let told = &stale.details["now"];
    assert_eq!((told["code"].as_str(), told["version"].as_i64()), (Some("BIG"), Some(ended.version)), "{stale:?}");
    let switch =
        |active, reason: &str| SetPromotionActive { promotion: "big".to_owned(), active, reason: reason.to_owned() };
    let silent = house.refused(&house.admin, switch(false, " ")).await;
    assert_eq!(silent.details["field"], serde_json::json!("reason"), "off takes something away");
    assert!(!house.run(&house.admin, switch(false, "over")).await.active);
    assert_eq!(why(&house.refused(&guest.caller, place(&guest, Method::Cash)).await), "inactive");
    house.run(&house.admin, switch(true, "")).await;
    assert!(!house.run(&guest.caller, place(&guest, Method::Cash)).await.order.discount.is_zero());
    healthy(&house).await;
});

on_both!(codes_are_judged_when_they_are_typed, |house| {
    let guest = house.guest();
    house.cart(&guest, &house.plain_item().await, 1, Fulfilment::Pickup).await;
    let typed = async |code: &str| use_code(&house, &guest, code).await.expect_err("refused");
    assert_eq!(why(&typed("NOTHING").await), "inactive");
    assert_eq!(why(&typed("\u{1b}[31mX").await), "inactive");
    add(&house, "KNOWN", PromotionTerms { per_customer: Some(1), ..ten_percent() }).await;
    assert_eq!(why(&typed("known").await), "guest");
    add(&house, "LATER", PromotionTerms { starts_at: Some(Timestamp(i64::MAX)), ..ten_percent() }).await;
    assert_eq!(why(&typed("LATER").await), "not_started");
    let cart = house.door.ask(&guest.caller, ShowCart { cart: guest.cart }).await.expect("the cart");
    assert_eq!(cart.promotion, None, "what was refused changed nothing");

    let refused = async |code: &str, terms| {
        let refused = house.refused(&house.admin, AddPromotion { code: code.to_owned(), terms }).await;
        (refused.code, refused.details["field"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(refused("LATER", ten_percent()).await, (ErrorCode::Conflict, "code".to_owned()));
    assert_eq!(refused("a b", ten_percent()).await, (ErrorCode::ValidationError, "code".to_owned()));
    let both = PromotionTerms { amount: Some(Money(5)), ..ten_percent() };
    assert_eq!(refused("BOTH", both).await, (ErrorCode::ValidationError, "value".to_owned()));
    let unnamed = PromotionTerms { name: " \u{200b}".to_owned(), ..ten_percent() };
    assert_eq!(refused("UNNAMED", unnamed).await, (ErrorCode::ValidationError, "name".to_owned()));
    let all = ListPromotions { limit: 1, ..ListPromotions::default() };
    let page = house.door.ask(&house.admin, all.clone()).await.expect("a page");
    assert_eq!((page.items[0].code.as_str(), page.total), ("KNOWN", 2));
    let page = house.door.ask(&house.admin, ListPromotions { after: page.next, ..all }).await.expect("the next");
    assert_eq!((page.items[0].code.as_str(), page.next), ("LATER", None));
});
