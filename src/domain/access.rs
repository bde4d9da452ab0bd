//! Who may do what: roles, permissions and the actor of a command.
//!
//! A role maps to a set of permissions in the style of source 001 (ruling C20). The order machine
//! has its own role column on top of this: a permission opens the door, the table decides the move.

use super::error::{ErrorCode, Refused};
use super::ids::{CustomerId, StaffId, TerminalId};
use crate::words;
use serde::{Deserialize, Serialize};

words!(
    /// The part somebody plays in a command.
    Role, "role" {
        /// A guest at the kiosk, or a registered customer: acts on own orders only.
        Customer = "customer",
        /// Kitchen staff, or a registered kitchen terminal.
        Kitchen = "kitchen",
        /// A courier.
        Delivery = "delivery",
        /// A manager.
        Admin = "admin",
        /// The house itself: timers, automatic steps.
        System = "system",
        /// A payment gateway, through a signed message.
        Gateway = "gateway",
    }
);

words!(
    /// A right that a use case asks for.
    Permission, "permission" {
        /// See the menu.
        MenuRead = "menu:read",
        /// Change the menu.
        MenuWrite = "menu:write",
        /// Fill a cart and place an order.
        OrdersCreate = "orders:create",
        /// See one's own orders.
        OrdersOwn = "orders:own",
        /// See every order.
        OrdersRead = "orders:read",
        /// Move orders along.
        OrdersUpdate = "orders:update",
        /// Reject, cancel for the house, void.
        OrdersVoid = "orders:void",
        /// Give money back.
        OrdersRefund = "orders:refund",
        /// Set a payment by hand.
        PaymentsOverride = "payments:override",
        /// Report what the gateway answered.
        PaymentsResult = "payments:result",
        /// Hand orders to couriers.
        DeliveryAssign = "delivery:assign",
        /// Carry out deliveries.
        DeliveryRun = "delivery:run",
        /// See stock.
        StockRead = "stock:read",
        /// Receive, adjust, recount and waste.
        StockAdjust = "stock:adjust",
        /// Open and close the till, take and pay out cash.
        TillOperate = "till:operate",
        /// Close the till although cash orders wait for their money.
        TillForce = "till:force",
        /// Add and change staff.
        StaffManage = "staff:manage",
        /// Change settings.
        SettingsWrite = "settings:write",
        /// See reports.
        ReportsRead = "reports:read",
        /// See the audit log.
        AuditRead = "audit:read",
        /// Timers and deliveries of events.
        SystemRun = "system:run",
    }
);

use Permission as P;

const CUSTOMER: &[Permission] = &[P::MenuRead, P::OrdersCreate, P::OrdersOwn];
const KITCHEN: &[Permission] = &[
    P::MenuRead,
    P::OrdersCreate,
    P::OrdersOwn,
    P::OrdersRead,
    P::OrdersUpdate,
    P::OrdersVoid,
    P::StockRead,
    P::TillOperate,
];
/// Everything but what only a gateway reports and only the house itself does.
const ADMIN: &[Permission] = &[
    P::MenuRead,
    P::MenuWrite,
    P::OrdersCreate,
    P::OrdersOwn,
    P::OrdersRead,
    P::OrdersUpdate,
    P::OrdersVoid,
    P::OrdersRefund,
    P::PaymentsOverride,
    P::DeliveryAssign,
    P::DeliveryRun,
    P::StockRead,
    P::StockAdjust,
    P::TillOperate,
    P::TillForce,
    P::StaffManage,
    P::SettingsWrite,
    P::ReportsRead,
    P::AuditRead,
];
const DELIVERY: &[Permission] = &[P::MenuRead, P::OrdersRead, P::DeliveryRun];
const GATEWAY: &[Permission] = &[P::PaymentsResult];
/// A kitchen screen with nobody signed in: it may move tickets, and nothing that touches money.
const KITCHEN_TERMINAL: &[Permission] = &[P::MenuRead, P::OrdersRead, P::OrdersUpdate, P::StockRead];

impl Role {
    /// The permissions of a person or machine in this role.
    #[must_use]
    pub const fn permissions(self) -> &'static [Permission] {
        match self {
            Self::Customer => CUSTOMER,
            Self::Kitchen => KITCHEN,
            Self::Delivery => DELIVERY,
            Self::Admin => ADMIN,
            Self::System => P::ALL,
            Self::Gateway => GATEWAY,
        }
    }
}

/// Who gives a command, from where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// The part played.
    pub role: Role,
    /// The member of staff, when one is signed in.
    pub staff: Option<StaffId>,
    /// The guest or customer on whose behalf the command is given.
    pub customer: Option<CustomerId>,
    /// The terminal at which it was given.
    pub terminal: Option<TerminalId>,
    /// The admin whose PIN lets this one command through.
    pub override_by: Option<StaffId>,
    /// What the audit log calls this actor.
    pub name: String,
}

impl Actor {
    /// The house itself.
    #[must_use]
    pub fn system() -> Self {
        Self {
            role: Role::System,
            staff: None,
            customer: None,
            terminal: None,
            override_by: None,
            name: "system".into(),
        }
    }

    /// A payment gateway whose message was verified.
    #[must_use]
    pub fn gateway(name: &str) -> Self {
        Self { role: Role::Gateway, name: format!("gateway {name}"), ..Self::system() }
    }

    /// A guest at a kiosk.
    #[must_use]
    pub fn guest(customer: CustomerId, terminal: Option<TerminalId>) -> Self {
        Self { role: Role::Customer, customer: Some(customer), terminal, name: "guest".into(), ..Self::system() }
    }

    /// A signed-in member of staff.
    #[must_use]
    pub fn staff(id: StaffId, role: Role, name: impl Into<String>, terminal: Option<TerminalId>) -> Self {
        Self { role, staff: Some(id), terminal, name: name.into(), ..Self::system() }
    }

    /// A registered kitchen terminal with nobody signed in.
    #[must_use]
    pub fn kitchen_terminal(terminal: TerminalId, name: impl Into<String>) -> Self {
        Self { role: Role::Kitchen, terminal: Some(terminal), name: name.into(), ..Self::system() }
    }

    /// Whether this is a screen acting for itself: no person has signed in.
    #[must_use]
    pub const fn is_bare_terminal(&self) -> bool {
        matches!(self.role, Role::Kitchen) && self.staff.is_none()
    }

    /// The permissions of this actor.
    #[must_use]
    pub const fn permissions(&self) -> &'static [Permission] {
        if self.is_bare_terminal() { KITCHEN_TERMINAL } else { self.role.permissions() }
    }

    /// Whether an admin's PIN lets this person's command through. Only people who are signed in can be:
    /// a screen or a guest has no name to write beside the admin's.
    #[must_use]
    pub const fn is_let_through(&self) -> bool {
        self.override_by.is_some() && self.staff.is_some() && matches!(self.role, Role::Kitchen | Role::Delivery)
    }

    /// This person as a manager's PIN would let them through, for "would it help?"; `None` for whom it cannot help.
    #[must_use]
    pub fn if_let_through(&self) -> Option<Self> {
        let actor = Self { override_by: self.staff, ..self.clone() };
        actor.is_let_through().then_some(actor)
    }

    /// Whether the actor has the permission, by role or because an admin's PIN lets it through.
    #[must_use]
    pub fn may(&self, permission: Permission) -> bool {
        self.permissions().contains(&permission) || (self.is_let_through() && ADMIN.contains(&permission))
    }

    /// Refuses with `INSUFFICIENT_ROLE` what the actor may not do.
    ///
    /// # Errors
    /// `INSUFFICIENT_ROLE` when neither the role nor an override grants the permission.
    pub fn require(&self, permission: Permission) -> Result<(), Refused> {
        if self.may(permission) {
            return Ok(());
        }
        let (message, help) = if self.is_bare_terminal() {
            ("This needs a person: sign in first.".to_owned(), "Sign in with your name and password.".to_owned())
        } else {
            (format!("The role {} may not do this.", self.role), ErrorCode::InsufficientRole.help().to_owned())
        };
        Err(Refused::new(ErrorCode::InsufficientRole, message)
            .with("role", self.role.as_str())
            .with("permission", permission.as_str())
            .by_guard("role")
            .help(help))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn a_bare_kitchen_terminal_moves_tickets_and_touches_no_money() {
        let board = Actor::kitchen_terminal(TerminalId(Uuid::from_u128(1)), "board");
        assert!(board.may(P::OrdersUpdate));
        for denied in [P::OrdersVoid, P::TillOperate, P::OrdersRefund, P::OrdersCreate] {
            assert!(!board.may(denied), "{denied}");
        }
    }

    #[test]
    fn customers_reach_nothing_of_the_house() {
        let guest = Actor::guest(CustomerId(Uuid::from_u128(1)), None);
        for permission in P::ALL {
            let own = matches!(permission, P::MenuRead | P::OrdersCreate | P::OrdersOwn);
            assert_eq!(guest.may(*permission), own, "{permission}");
        }
    }

    #[test]
    fn actors_are_named_and_refused_in_words() {
        let terminal = TerminalId(Uuid::from_u128(1));
        let guest = Actor::guest(CustomerId(Uuid::from_u128(1)), Some(terminal));
        assert_eq!((guest.name.as_str(), Actor::gateway("card").name.as_str()), ("guest", "gateway card"));
        assert_eq!((guest.customer, guest.terminal), (Some(CustomerId(Uuid::from_u128(1))), Some(terminal)));
        guest.require(P::OrdersCreate).expect("may");
        let refused = guest.require(P::StockRead).expect_err("may not");
        assert_eq!((refused.code, refused.guard), (ErrorCode::InsufficientRole, Some("role")));
        assert_eq!(refused.message, "The role customer may not do this.");
        assert_eq!(
            (&refused.details["role"], &refused.details["permission"]),
            (&"customer".into(), &"stock:read".into())
        );
        let board = Actor::kitchen_terminal(terminal, "board");
        assert_eq!(
            board.require(P::TillOperate).expect_err("no person").message,
            "This needs a person: sign in first."
        );
        let cook = Actor::staff(StaffId(Uuid::from_u128(2)), Role::Kitchen, "cook", Some(terminal));
        assert!(board.is_bare_terminal() && !cook.is_bare_terminal() && !guest.is_bare_terminal());
        assert_eq!(
            (cook.name.as_str(), cook.staff, cook.terminal),
            ("cook", Some(StaffId(Uuid::from_u128(2))), Some(terminal))
        );
        // Only staff who need it are let through: an admin has a name of their own in the log.
        let admin = Actor::staff(StaffId(Uuid::from_u128(3)), Role::Admin, "admin", None);
        let with_pin = |actor: Actor| Actor { override_by: Some(StaffId(Uuid::from_u128(9))), ..actor };
        assert!(with_pin(cook.clone()).is_let_through() && !cook.is_let_through());
        assert!(!with_pin(admin).is_let_through() && !with_pin(board).is_let_through());
    }

    #[test]
    fn only_gateways_report_results_and_only_the_house_runs_its_timers() {
        for permission in [P::PaymentsResult, P::SystemRun] {
            assert!(!Role::Admin.permissions().contains(&permission), "{permission}");
        }
        assert_eq!(Role::Admin.permissions().len(), P::ALL.len() - 2);
    }

    #[test]
    fn an_override_opens_every_door_of_an_admin_to_people_who_are_signed_in() {
        let admin = StaffId(Uuid::from_u128(7));
        for role in [Role::Kitchen, Role::Delivery] {
            let mut person = Actor::staff(StaffId(Uuid::from_u128(2)), role, "somebody", None);
            assert!(!person.may(P::OrdersRefund));
            person.override_by = Some(admin);
            for permission in P::ALL {
                assert_eq!(person.may(*permission), ADMIN.contains(permission), "{role} {permission}");
            }
        }
        let terminal = TerminalId(Uuid::from_u128(1));
        let others = [Actor::kitchen_terminal(terminal, "board"), Actor::guest(CustomerId(Uuid::from_u128(1)), None)];
        for mut other in others {
            other.override_by = Some(admin);
            assert!(!other.may(P::OrdersRefund), "{}", other.name);
        }
    }
}
