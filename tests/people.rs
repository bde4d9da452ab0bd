//! Staff, sign-in and terminals through the real door, on both databases. Time jumps run on SQLite
//! only: on Postgres the instant of a transaction is the server's.

#![expect(clippy::panic, reason = "a helper of these tests fails the test by panicking")]

mod house;
mod support;

use house::{House, START, code, seconds, session};
use servery::domain::access::Role;
use servery::domain::error::{ErrorCode, Refused};
use servery::domain::ids::{CustomerId, StaffId, TerminalId};
use servery::domain::time::Timestamp;
use servery::service::notices::ReadNotices;
use servery::service::staff::{
    self, DEMO_ACCOUNTS, ListStaff, NewStaff, SetStaffActive, SetStaffRole, StaffFilter, WhoAmI,
};
use servery::service::terminals::{self, DEMO_EXIT_PIN, Heartbeat, ListTerminals, RevokeTerminal, TerminalRole};
use servery::service::till::{CashDrop, CashIn, ListShifts, TillClose, TillOpen, TillStatus};
use servery::service::{Caller, Secrets, token_hash};
use servery::store::StoreUrl;
use uuid::Uuid;

// ------------------------------------------------------------------------------------- signing in

#[tokio::test(flavor = "multi_thread")]
async fn demo_staff_sign_in_by_password_and_by_pin_in_a_demo_store_only() {
    for house in House::both().await {
        assert!(!staff::insert_demo(&house.door, &house.secrets).await.expect("again"), "only once");
        let terminal = house.terminal("kitchen-1", TerminalRole::Kitchen).await;
        for account in DEMO_ACCOUNTS {
            let name = format!(" {} ", account.username.to_uppercase());
            let signed_in = house.login(&name, account.password).await.expect("by password");
            assert_eq!((signed_in.role, signed_in.name.as_str()), (account.role, account.name));
            let quick = staff::login_pin(&house.door, &house.secrets, terminal, account.username, account.pin)
                .await
                .expect("by PIN");
            let who = house.door.ask(&session(&quick, Some(terminal)), WhoAmI).await.expect("who am I");
            assert_eq!((who.staff, who.name.as_str()), (Some(signed_in.staff), account.username));
            assert_eq!((who.role, who.terminal), (account.role, Some(terminal)));
            assert_eq!(who.permissions, account.role.permissions());
        }
        let by_pin_as_password = house.login("asha", "271828").await;
        assert_eq!(code(by_pin_as_password), ErrorCode::InvalidToken);
        let nowhere = TerminalId(Uuid::from_u128(9));
        let refused = staff::login_pin(&house.door, &house.secrets, nowhere, "asha", "271828").await;
        assert_eq!(code(refused), ErrorCode::Forbidden);
    }
    let real = House::open(None, false).await;
    assert!(!staff::insert_demo(&real.door, &real.secrets).await.expect("left alone"));
    assert_eq!(code(real.login("asha", "demo-asha-2026").await), ErrorCode::InvalidToken);
}

#[tokio::test(flavor = "multi_thread")]
async fn known_and_unknown_names_are_refused_alike() {
    for house in House::both().await {
        let known = house.login("asha", "not-the-password").await.expect_err("wrong");
        let unknown = house.login("nobody", "not-the-password").await.expect_err("unknown");
        assert_eq!(known, unknown);
        assert_eq!(known.code, ErrorCode::InvalidToken);
        let refused = "SELECT COUNT(*) FROM audit_log WHERE action = 'SIGN_IN_REFUSED' AND details = 'wrong password'";
        assert_eq!(house.count(refused).await, 2, "both are in the audit log");
        let named = "SELECT COUNT(*) FROM audit_log WHERE entity_id = 'nobody' OR details LIKE '%nobody%'";
        assert_eq!(house.count(named).await, 0, "what was typed as a name is not");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn five_wrong_tries_then_doubling_pauses_and_success_forgets() {
    let house = House::sqlite().await;
    for name in ["asha", "nobody"] {
        for _ in 0..5 {
            assert_eq!(code(house.login(name, "wrong-password").await), ErrorCode::InvalidToken, "{name}");
            // Another account is tried from elsewhere, so that only this account's count stands here.
            house.raw("DELETE FROM rate_limits WHERE scope = 'login_terminal'".to_owned()).await.expect("raw");
        }
        let refused = house.login(name, "demo-asha-2026").await.expect_err("right, but too soon");
        assert_eq!((refused.code, seconds(&refused)), (ErrorCode::RateLimited, 30), "{name}");
    }
    house.clock.advance(29);
    assert_eq!(seconds(&house.login("asha", "demo-asha-2026").await.expect_err("too soon")), 1);
    house.clock.advance(1);
    assert_eq!(code(house.login("asha", "wrong-password").await), ErrorCode::InvalidToken);
    assert_eq!(seconds(&house.login("asha", "demo-asha-2026").await.expect_err("too soon")), 60);
    house.clock.advance(60);
    house.login("asha", "demo-asha-2026").await.expect("after the pause");
    for _ in 0..5 {
        assert_eq!(code(house.login("asha", "wrong-password").await), ErrorCode::InvalidToken, "forgotten");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pauses_double_up_to_an_hour_for_an_account_and_for_a_terminal() {
    const PAUSES: [i64; 9] = [30, 60, 120, 240, 480, 960, 1_920, 3_600, 3_600];
    for by_terminal in [false, true] {
        let house = House::sqlite().await;
        let terminal = house.terminal("kitchen-1", TerminalRole::Kitchen).await;
        // The other counter starts anew each time, so that only one of the two is looked at.
        let (name, other) = if by_terminal { ("guess", "login_account") } else { ("ravi", "login_terminal") };
        let forget = format!("DELETE FROM rate_limits WHERE scope = '{other}'");
        let attempt = async |pin: &'static str| {
            let tried = staff::login_pin(&house.door, &house.secrets, terminal, name, pin).await;
            house.raw(forget.clone()).await.expect("raw");
            tried.expect_err("wrong, or too soon")
        };
        for _ in 0..5 {
            assert_eq!(attempt("000001").await.code, ErrorCode::InvalidToken);
        }
        for pause in PAUSES {
            // Not even the right PIN, and the seconds left are said; asking does not make it longer.
            let refused = attempt("314159").await;
            assert_eq!((refused.code, seconds(&refused)), (ErrorCode::RateLimited, pause), "{name}");
            house.clock.advance(pause - 1);
            let refused = attempt("314159").await;
            assert_eq!((refused.code, seconds(&refused)), (ErrorCode::RateLimited, 1), "{name}");
            house.clock.advance(1);
            assert_eq!(attempt("000001").await.code, ErrorCode::InvalidToken, "{name} after {pause} seconds");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_is_locked_whatever_name_is_tried_and_others_are_not() {
    for house in House::both().await {
        let one = house.terminal("kitchen-1", TerminalRole::Kitchen).await;
        let two = house.terminal("kitchen-2", TerminalRole::Kitchen).await;
        for number in 0..5 {
            let name = format!("guess{number}");
            let refused = staff::login_pin(&house.door, &house.secrets, one, &name, "000001").await;
            assert_eq!(code(refused), ErrorCode::InvalidToken);
        }
        let refused = staff::login_pin(&house.door, &house.secrets, one, "ravi", "314159").await;
        let refused = refused.expect_err("locked");
        assert_eq!(refused.code, ErrorCode::RateLimited);
        assert!((1..=30).contains(&seconds(&refused)));
        staff::login_pin(&house.door, &house.secrets, two, "ravi", "314159").await.expect("elsewhere");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tries_at_one_instant_are_all_counted_before_any_is_verified() {
    for house in House::both().await {
        let mut tries = tokio::task::JoinSet::new();
        for _ in 0..20 {
            let (door, secrets) = (house.door.clone(), house.secrets.clone());
            tries.spawn(async move { code(staff::login(&door, &secrets, None, "asha", "wrong-password").await) });
        }
        let codes = tries.join_all().await;
        let verified = codes.iter().filter(|code| **code == ErrorCode::InvalidToken).count();
        let limited = codes.iter().filter(|code| **code == ErrorCode::RateLimited).count();
        assert_eq!((verified, limited), (5, 15), "{codes:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_works_was_seen_then_and_not_written_down_at_every_command() {
    let house = House::sqlite().await;
    let ravi = session(&house.enter("ravi").await, None);
    let seen = async || {
        let staff = house.door.ask(&Caller::System, ListStaff::default()).await.expect("the staff").items;
        staff.into_iter().find(|one| one.username == "ravi").expect("ravi").last_seen_at
    };
    let works = async || house.door.execute(&ravi, None, ReadNotices { up_to: 0 }).await.expect("a command");
    let began = seen().await;
    assert_eq!(began, Some(Timestamp(START)));
    house.clock.advance(30);
    works().await;
    assert_eq!(seen().await, began, "it was written down thirty seconds ago");
    house.clock.advance(1);
    works().await;
    assert_eq!(seen().await, Some(Timestamp(START).plus_seconds(31)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_by_time_by_signing_out_and_by_nobody_knowing_it() {
    let house = House::sqlite().await;
    let signed_in = house.enter("ravi").await;
    assert_eq!(signed_in.expires_at, Timestamp(START).plus_seconds(12 * 3_600));
    house.clock.advance(12 * 3_600 - 1);
    house.door.ask(&session(&signed_in, None), WhoAmI).await.expect("in the last second");
    house.clock.advance(1);
    assert_eq!(code(house.door.ask(&session(&signed_in, None), WhoAmI).await), ErrorCode::TokenExpired);
    for house in House::both().await {
        let (stays, goes) = (house.enter("ravi").await, house.enter("ravi").await);
        staff::logout(&house.door, &goes.token).await.expect("out");
        staff::logout(&house.door, &goes.token).await.expect("again does nothing");
        staff::logout(&house.door, "never given out").await.expect("unknown does nothing");
        assert_eq!(code(house.door.ask(&session(&goes, None), WhoAmI).await), ErrorCode::TokenExpired);
        house.door.ask(&session(&stays, None), WhoAmI).await.expect("the other session stays");
        let forged = Caller::Session { token: "0".repeat(64), terminal: None, override_by: None };
        assert_eq!(code(house.door.ask(&forged, WhoAmI).await), ErrorCode::InvalidToken);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_are_never_stored_in_clear_nor_shown() {
    let house = House::sqlite().await;
    let terminal = house.terminal("kiosk-1", TerminalRole::Kiosk).await;
    let signed_in = house.enter("asha").await;
    let caller = session(&signed_in, None);
    terminals::set_exit_pin(&house.door, &house.secrets, &caller, terminal, "975310864", "").await.expect("exit PIN");
    let new = NewStaff {
        username: "mila",
        name: "Mila",
        role: Role::Kitchen,
        password: "a-very-secret-word",
        pin: Some("864209753"),
    };
    let key = Some("the-key");
    staff::add_staff(&house.door, &house.secrets, &caller, key, &new).await.expect("added");
    assert_eq!(code(house.login("typed-password-as-name", "x").await), ErrorCode::InvalidToken);
    let StoreUrl::Sqlite(path) = &house.url else { panic!("SQLite") };
    let wal = path.with_extension("db-wal");
    let stored = [std::fs::read(path).expect("file"), std::fs::read(wal).expect("log")].concat();
    let holds = |text: &[u8]| stored.windows(text.len()).any(|window| window == text);
    assert!(holds(b"mila") && holds(&token_hash(&signed_in.token)), "the store was read");
    for secret in [
        "a-very-secret-word",
        "864209753",
        "975310864",
        "demo-asha-2026",
        "271828",
        "typed-password-as-name",
        &signed_in.token,
    ] {
        assert!(!holds(secret.as_bytes()), "{secret} is in the store");
    }
    for shown in [format!("{signed_in:?}"), format!("{caller:?}"), format!("{new:?}"), format!("{:?}", house.secrets)] {
        assert!(!shown.contains(&signed_in.token) && !shown.contains("a-very-secret-word"), "{shown}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_pepper_is_refused_with_its_reason_and_locks_nobody() {
    for house in House::both().await {
        let stranger = Secrets::with_pepper(&[8; 32], [5; 32]);
        for _ in 0..6 {
            let refused = staff::login(&house.door, &stranger, None, "asha", "demo-asha-2026").await;
            let refused = refused.expect_err("another pepper");
            assert_eq!((refused.code, refused.guard), (ErrorCode::Forbidden, Some("pepper")));
        }
        stranger.check_store(&house.door).await.expect_err("at start, too");
        house.secrets.check_store(&house.door).await.expect("its own");
        house.enter("asha").await;
    }
}

// ---------------------------------------------------------------------------------- who is on the staff

#[tokio::test(flavor = "multi_thread")]
async fn staff_are_added_once_by_key_and_by_name() {
    for house in House::both().await {
        let caller = house.caller("asha").await;
        let new = NewStaff {
            username: "Mila",
            name: "Mi\u{202e}la",
            role: Role::Kitchen,
            password: "first-password",
            pin: None,
        };
        let add =
            async |new: &NewStaff<'_>, key| staff::add_staff(&house.door, &house.secrets, &caller, key, new).await;
        let mila = add(&new, Some("k1")).await.expect("added");
        assert_eq!((mila.username.as_str(), mila.name.as_str(), mila.has_pin), ("mila", "Mila", false));
        assert_eq!(add(&new, Some("k1")).await.expect("the same again"), mila);
        let other = NewStaff { password: "other-password", ..new };
        assert_eq!(code(add(&other, Some("k1")).await), ErrorCode::IdempotencyMismatch);
        assert_eq!(code(add(&new, None).await), ErrorCode::Conflict);
        for wrong in [
            NewStaff { username: "x", ..new },
            NewStaff { username: "ok", name: " ", ..new },
            NewStaff { username: "ok", password: "short", ..new },
            NewStaff { username: "ok", pin: Some("123456"), ..new },
            NewStaff { username: "ok", role: Role::System, ..new },
        ] {
            assert_eq!(code(add(&wrong, None).await), ErrorCode::ValidationError, "{wrong:?}");
        }
        house.login("mila", "first-password").await.expect("signs in");
        let page = house
            .door
            .ask(&caller, ListStaff { filter: StaffFilter::default(), after: Some("asha".into()), limit: 2 })
            .await
            .expect("page");
        let names: Vec<&str> = page.items.iter().map(|row| row.username.as_str()).collect();
        assert_eq!((names, page.next.as_deref(), page.total), (vec!["mila", "noor"], Some("noor"), 4));
        let odd = NewStaff { username: "a_b", name: "Ü%l", role: Role::Delivery, ..new };
        let gone = add(&odd, None).await.expect("added").id;
        let leave = SetStaffActive { staff: gone, active: false, reason: "left".into() };
        house.door.execute(&caller, None, leave).await.expect("deactivated");
        let found = async |text: &str, role, active| {
            let filter = StaffFilter { text: Some(text.to_owned()), role, active };
            let page = house.door.ask(&caller, ListStaff { filter, ..ListStaff::default() }).await.expect("found");
            assert_eq!((page.total, page.next), (i64::try_from(page.items.len()).expect("few"), None));
            page.items.into_iter().map(|row| row.username).collect::<Vec<_>>()
        };
        assert_eq!(found("MIL", None, None).await, ["mila"], "whatever the case");
        assert_eq!(found(" ", None, None).await.len(), 5, "spaces narrow nothing");
        for typed in ["_", "%", "Ü%"] {
            assert_eq!(found(typed, None, None).await, ["a_b"], "{typed} stands for itself");
        }
        assert_eq!(found("", Some(Role::Delivery), None).await, ["a_b", "noor"]);
        assert_eq!(found("", Some(Role::Delivery), Some(true)).await, ["noor"]);
        assert_eq!(found("", None, Some(false)).await, ["a_b"]);
        assert!(found("!", None, None).await.is_empty());
        for limit in [0, 501] {
            let asked = house.door.ask(&caller, ListStaff { limit, ..ListStaff::default() }).await;
            assert_eq!(code(asked), ErrorCode::ValidationError);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_rights_or_secrets_counts_from_the_next_command() {
    for house in House::both().await {
        let caller = house.caller("asha").await;
        let ravi = house.enter("ravi").await;
        let open = TillOpen { float: 0 };
        let role = |role| SetStaffRole { staff: ravi.staff, role, reason: "new duty".into() };
        house.door.execute(&caller, None, role(Role::Delivery)).await.expect("role");
        assert_eq!(code(house.door.execute(&session(&ravi, None), None, open.clone()).await), ErrorCode::TokenExpired);
        let again = house.enter("ravi").await;
        assert_eq!(again.role, Role::Delivery);
        assert_eq!(code(house.door.execute(&session(&again, None), None, open).await), ErrorCode::InsufficientRole);

        let active = |active| SetStaffActive { staff: ravi.staff, active, reason: "left".into() };
        house.door.execute(&caller, None, active(false)).await.expect("deactivated");
        assert_eq!(code(house.door.ask(&session(&again, None), WhoAmI).await), ErrorCode::TokenExpired);
        assert_eq!(code(house.login("ravi", "demo-ravi-2026").await), ErrorCode::InvalidToken);
        house.door.execute(&caller, None, active(true)).await.expect("back");
        assert_eq!(code(house.door.ask(&session(&again, None), WhoAmI).await), ErrorCode::TokenExpired);
        let again = house.enter("ravi").await;

        let (door, secrets) = (&house.door, &house.secrets);
        let silent = staff::set_password(door, secrets, &caller, ravi.staff, "a-new-password", " ").await;
        assert_eq!(silent.expect_err("no reason").details["field"], "reason");
        let silent = staff::set_pin(door, secrets, &caller, ravi.staff, "602214", "").await;
        assert_eq!(silent.expect_err("a reset, and no reason").details["field"], "reason");
        staff::set_password(&house.door, &house.secrets, &caller, ravi.staff, "a-new-password", "forgotten")
            .await
            .expect("password");
        assert_eq!(code(house.door.ask(&session(&again, None), WhoAmI).await), ErrorCode::TokenExpired);
        assert_eq!(code(house.login("ravi", "demo-ravi-2026").await), ErrorCode::InvalidToken);
        let again = house.login("ravi", "a-new-password").await.expect("with the new one");
        staff::set_pin(&house.door, &house.secrets, &caller, ravi.staff, "602214", "seen by a guest")
            .await
            .expect("PIN");
        assert_eq!(code(house.door.ask(&session(&again, None), WhoAmI).await), ErrorCode::TokenExpired);
        let kept =
            "SELECT COUNT(*) FROM audit_log WHERE entity = 'Staff' AND reason IN ('forgotten', 'seen by a guest')";
        assert_eq!(house.count(kept).await, 2);
        let terminal = house.terminal("kitchen-1", TerminalRole::Kitchen).await;
        let old = staff::login_pin(&house.door, &house.secrets, terminal, "ravi", "314159").await;
        assert_eq!(code(old), ErrorCode::InvalidToken);
        staff::login_pin(&house.door, &house.secrets, terminal, "ravi", "602214").await.expect("the new PIN");
        let nobody = SetStaffActive { staff: StaffId(Uuid::from_u128(4)), active: false, reason: "x".into() };
        assert_eq!(code(house.door.execute(&caller, None, nobody).await), ErrorCode::NotFound);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_admin_stays_even_when_two_remove_each_other_at_once() {
    for house in House::both().await {
        let asha = house.enter("asha").await;
        let caller = session(&asha, None);
        let off = |staff| SetStaffActive { staff, active: false, reason: "x".into() };
        let refused = house.door.execute(&caller, None, off(asha.staff)).await.expect_err("the last one");
        assert_eq!((refused.code, refused.guard), (ErrorCode::Conflict, Some("last_admin")));
        let less = SetStaffRole { staff: asha.staff, role: Role::Kitchen, reason: "x".into() };
        assert_eq!(house.door.execute(&caller, None, less).await.expect_err("the last one").guard, Some("last_admin"));

        let new =
            NewStaff { username: "mila", name: "Mila", role: Role::Admin, password: "a-long-password", pin: None };
        let mila = staff::add_staff(&house.door, &house.secrets, &caller, None, &new).await.expect("second admin");
        // Not by their own sessions: the faster one would end the other's.
        let (one, two) = tokio::join!(
            house.door.execute(&Caller::System, None, off(asha.staff)),
            house.door.execute(&Caller::System, None, off(mila.id)),
        );
        assert_eq!(usize::from(one.is_ok()) + usize::from(two.is_ok()), 1, "{one:?} {two:?}");
        let refused = one.err().or(two.err()).expect("one refused");
        assert_eq!(refused.guard, Some("last_admin"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_who_goes_and_one_who_is_demoted_at_once_leave_one_admin() {
    for house in House::both().await {
        let asha = house.enter("asha").await;
        let new =
            NewStaff { username: "mila", name: "Mila", role: Role::Admin, password: "a-long-password", pin: None };
        let caller = session(&asha, None);
        let mila = staff::add_staff(&house.door, &house.secrets, &caller, None, &new).await.expect("second admin");
        for _ in 0..5 {
            let off = SetStaffActive { staff: asha.staff, active: false, reason: "x".into() };
            let less = SetStaffRole { staff: mila.id, role: Role::Kitchen, reason: "x".into() };
            let (one, two) = tokio::join!(
                house.door.execute(&Caller::System, None, off),
                house.door.execute(&Caller::System, None, less),
            );
            assert_eq!(usize::from(one.is_ok()) + usize::from(two.is_ok()), 1, "{one:?} {two:?}");
            let admins = "SELECT COUNT(*) FROM staff WHERE role = 'admin' AND active";
            assert_eq!(house.count(admins).await, 1);
            let on = SetStaffActive { staff: asha.staff, active: true, reason: "x".into() };
            house.door.execute(&Caller::System, None, on).await.expect("back");
            let more = SetStaffRole { staff: mila.id, role: Role::Admin, reason: "x".into() };
            house.door.execute(&Caller::System, None, more).await.expect("back");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_managers_pin_lets_one_command_through_while_they_are_a_manager() {
    for house in House::both().await {
        let (door, secrets) = (&house.door, &house.secrets);
        let terminal = house.terminal("kitchen-1", TerminalRole::Kitchen).await;
        let (asha, ravi) = (house.enter("asha").await, house.enter("ravi").await);
        let check = async |name: Option<&'static str>, pin: &'static str| {
            staff::verify_override(door, secrets, Some(terminal), name, pin).await
        };
        assert_eq!(check(None, "271828").await.expect("the only admin"), asha.staff);
        assert_eq!(check(Some("asha"), "271828").await.expect("by name"), asha.staff);
        assert_eq!(code(check(Some("ravi"), "314159").await), ErrorCode::InvalidToken, "no admin");
        assert_eq!(code(check(None, "314159").await), ErrorCode::InvalidToken);
        let new = NewStaff {
            username: "mila",
            name: "Mila",
            role: Role::Admin,
            password: "a-long-password",
            pin: Some("602214"),
        };
        let mila = staff::add_staff(door, secrets, &session(&asha, None), None, &new).await.expect("second admin");
        assert_eq!(code(check(None, "271828").await), ErrorCode::ValidationError, "which of them?");
        assert_eq!(check(Some("mila"), "602214").await.expect("by name"), mila.id);

        let with =
            |admin| Caller::Session { token: ravi.token.clone(), terminal: Some(terminal), override_by: Some(admin) };
        door.ask(&session(&ravi, None), ListStaff::default()).await.expect_err("not a cook's");
        door.ask(&with(mila.id), ListStaff::default()).await.expect("let through");
        let less = SetStaffRole { staff: mila.id, role: Role::Kitchen, reason: "x".into() };
        door.execute(&session(&asha, None), None, less).await.expect("no admin any more");
        assert_eq!(code(door.ask(&with(mila.id), ListStaff::default()).await), ErrorCode::InsufficientRole);
        assert_eq!(
            code(door.ask(&with(StaffId(Uuid::nil())), ListStaff::default()).await),
            ErrorCode::InsufficientRole
        );
        check(Some("asha"), "271828").await.expect("right, and forgets the wrong one before");
        for _ in 0..5 {
            assert_eq!(code(check(Some("asha"), "000001").await), ErrorCode::InvalidToken);
        }
        assert_eq!(code(check(Some("asha"), "271828").await), ErrorCode::RateLimited);
    }
}

/// Runs everything of this file's use cases as the caller; answers what the door let in.
async fn let_in(house: &House, caller: &Caller) -> Vec<&'static str> {
    let (door, secrets) = (&house.door, &house.secrets);
    let nobody = StaffId(Uuid::from_u128(4));
    let nowhere = TerminalId(Uuid::from_u128(5));
    let reason = || "walk".to_owned();
    let mut entered = Vec::new();
    let mut note = |name: &'static str, refused: Option<Refused>| match refused.map(|refused| refused.code) {
        Some(ErrorCode::InsufficientRole) => {}
        Some(ErrorCode::InternalError | ErrorCode::StoreUnavailable | ErrorCode::TokenExpired) => {
            panic!("{name} failed")
        }
        _ => entered.push(name),
    };
    let new =
        NewStaff { username: "walker", name: "Walker", role: Role::Kitchen, password: "a-long-password", pin: None };
    note("who am I", door.ask(caller, WhoAmI).await.err());
    note("till open", door.execute(caller, None, TillOpen { float: 0 }).await.err());
    note("cash in", door.execute(caller, None, CashIn { shift: None, amount: 5, reason: reason() }).await.err());
    note("cash drop", door.execute(caller, None, CashDrop { shift: None, amount: 5, reason: reason() }).await.err());
    note("till status", door.ask(caller, TillStatus::default()).await.err());
    note("shifts", door.ask(caller, ListShifts::default()).await.err());
    let close = TillClose { shift: None, counted: 0, note: None, force: None };
    note("till close", door.execute(caller, None, close).await.err());
    note("staff", door.ask(caller, ListStaff::default()).await.err());
    note("add", staff::add_staff(door, secrets, caller, None, &new).await.err());
    note("password", staff::set_password(door, secrets, caller, nobody, "a-long-password", "a test").await.err());
    note("PIN", staff::set_pin(door, secrets, caller, nobody, "602214", "a test").await.err());
    let active = SetStaffActive { staff: nobody, active: false, reason: reason() };
    note("active", door.execute(caller, None, active).await.err());
    let role = SetStaffRole { staff: nobody, role: Role::Kitchen, reason: reason() };
    note("role", door.execute(caller, None, role).await.err());
    note("terminals", door.ask(caller, ListTerminals).await.err());
    note("revoke", door.execute(caller, None, RevokeTerminal { terminal: nowhere, reason: reason() }).await.err());
    note("exit PIN", terminals::set_exit_pin(door, secrets, caller, nowhere, "602214", "").await.err());
    note("heartbeat", door.execute(caller, None, Heartbeat { terminal: nowhere, software_version: None }).await.err());
    entered
}

#[tokio::test(flavor = "multi_thread")]
async fn every_role_reaches_what_is_its_own_and_nothing_else() {
    const TILL: [&str; 7] = ["who am I", "till open", "cash in", "cash drop", "till status", "shifts", "till close"];
    // Heartbeats are the house's own.
    const HOUSE: [&str; 9] = ["staff", "add", "password", "PIN", "active", "role", "terminals", "revoke", "exit PIN"];
    for house in House::both().await {
        let kitchen = house.terminal("kitchen-1", TerminalRole::Kitchen).await;
        let guest = Caller::Guest { customer: CustomerId(Uuid::from_u128(6)), terminal: None };
        assert_eq!(let_in(&house, &house.caller("asha").await).await, [&TILL[..], &HOUSE[..]].concat());
        assert_eq!(let_in(&house, &house.caller("ravi").await).await, TILL);
        assert_eq!(let_in(&house, &house.caller("noor").await).await, ["who am I"]);
        assert_eq!(let_in(&house, &Caller::Terminal(kitchen)).await, ["who am I"]);
        assert_eq!(let_in(&house, &guest).await, ["who am I"]);
        assert_eq!(let_in(&house, &Caller::Gateway("test")).await, [""; 0]);
    }
}

// --------------------------------------------------------------------------------------- terminals

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_registers_once_and_acts_by_itself_in_the_kitchen_only() {
    for house in House::both().await {
        let door = &house.door;
        let kitchen = house.terminal("kitchen-1", TerminalRole::Kitchen).await;
        assert_eq!(house.terminal("kitchen-1", TerminalRole::Kitchen).await, kitchen, "the same again");
        let (kiosk, board) = (
            house.terminal("kiosk-1", TerminalRole::Kiosk).await,
            house.terminal("board-1", TerminalRole::Board).await,
        );
        assert_eq!(code(terminals::register(door, "kitchen-1", TerminalRole::Kiosk).await), ErrorCode::Conflict);
        assert_eq!(code(terminals::register(door, " \u{200b}", TerminalRole::Kiosk).await), ErrorCode::ValidationError);
        house.terminal(&"n".repeat(50), TerminalRole::Console).await;
        let longer = terminals::register(door, &"n".repeat(51), TerminalRole::Console).await;
        assert_eq!(code(longer), ErrorCode::ValidationError, "refused, not cut");
        let racers = tokio::join!(
            terminals::register(door, "console-1", TerminalRole::Console),
            terminals::register(door, "console-1", TerminalRole::Console),
        );
        assert_eq!(racers.0.expect("one"), racers.1.expect("the same"));

        let who = door.ask(&Caller::Terminal(kitchen), WhoAmI).await.expect("kitchen");
        assert_eq!((who.role, who.staff, who.name.as_str()), (Role::Kitchen, None, "kitchen-1"));
        door.ask(&Caller::Terminal(board), WhoAmI).await.expect("a board asks");
        let close = || TillClose { shift: None, counted: 0, note: None, force: None };
        assert_eq!(code(door.execute(&Caller::Terminal(board), None, close()).await), ErrorCode::Forbidden);
        assert_eq!(code(door.ask(&Caller::Terminal(kiosk), WhoAmI).await), ErrorCode::Forbidden);
        assert_eq!(code(door.ask(&Caller::Terminal(TerminalId(Uuid::nil())), WhoAmI).await), ErrorCode::Forbidden);

        let beat = || Heartbeat { terminal: kitchen, software_version: Some("9.9".into()) };
        door.execute(&Caller::System, None, beat()).await.expect("lives");
        let caller = house.caller("asha").await;
        let seen = door.ask(&caller, ListTerminals).await.expect("list");
        let seen = seen.iter().find(|row| row.id == kitchen).expect("listed");
        assert_eq!(seen.software_version.as_deref(), Some("9.9"));
        assert!(seen.last_seen_at.is_some());

        let ravi = staff::login_pin(door, &house.secrets, kitchen, "ravi", "314159").await.expect("at the terminal");
        let revoke = || RevokeTerminal { terminal: kitchen, reason: "stolen".into() };
        door.execute(&caller, None, revoke()).await.expect("taken off");
        assert_eq!(code(door.execute(&caller, None, revoke()).await), ErrorCode::NotFound);
        assert_eq!(code(door.ask(&Caller::Terminal(kitchen), WhoAmI).await), ErrorCode::Forbidden);
        assert_eq!(code(door.ask(&session(&ravi, Some(kitchen)), WhoAmI).await), ErrorCode::TokenExpired);
        assert_eq!(code(door.execute(&Caller::System, None, beat()).await), ErrorCode::Forbidden);
        assert_eq!(code(terminals::register(door, "kitchen-1", TerminalRole::Kitchen).await), ErrorCode::Forbidden);
        let pin = staff::login_pin(door, &house.secrets, kitchen, "ravi", "314159").await;
        assert_eq!(code(pin), ErrorCode::Forbidden);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kiosk_is_left_with_its_exit_pin_only() {
    for house in House::both().await {
        let (door, secrets) = (&house.door, &house.secrets);
        let kiosk = house.terminal("kiosk-1", TerminalRole::Kiosk).await;
        terminals::verify_exit_pin(door, secrets, kiosk, DEMO_EXIT_PIN).await.expect("the demo's");
        let caller = house.caller("asha").await;
        assert_eq!(
            code(terminals::set_exit_pin(door, secrets, &caller, kiosk, "111111", "").await),
            ErrorCode::ValidationError
        );
        terminals::set_exit_pin(door, secrets, &caller, kiosk, "602214", " ").await.expect("the first needs no reason");
        let silent = terminals::set_exit_pin(door, secrets, &caller, kiosk, "835712", " \u{200b}").await;
        let silent = silent.expect_err("another one does");
        assert_eq!((silent.code, &silent.details["field"]), (ErrorCode::ValidationError, &"reason".into()));
        terminals::set_exit_pin(door, secrets, &caller, kiosk, "602214", "a cook left").await.expect("with one");
        let kept = "SELECT COUNT(*) FROM audit_log WHERE use_case = 'terminal_set_exit_pin' AND reason = 'a cook left'";
        assert_eq!(house.count(kept).await, 1);
        terminals::verify_exit_pin(door, secrets, kiosk, "602214").await.expect("right");
        for _ in 0..5 {
            let refused = terminals::verify_exit_pin(door, secrets, kiosk, DEMO_EXIT_PIN).await;
            assert_eq!(code(refused), ErrorCode::InvalidToken);
        }
        assert_eq!(code(terminals::verify_exit_pin(door, secrets, kiosk, "602214").await), ErrorCode::RateLimited);
        let nowhere = TerminalId(Uuid::nil());
        assert_eq!(code(terminals::verify_exit_pin(door, secrets, nowhere, "602214").await), ErrorCode::Forbidden);
    }
    let real = House::open(None, false).await;
    let kiosk = real.terminal("kiosk-1", TerminalRole::Kiosk).await;
    let refused = terminals::verify_exit_pin(&real.door, &real.secrets, kiosk, DEMO_EXIT_PIN).await;
    assert_eq!(code(refused), ErrorCode::ValidationError);
}
