//! Commands by name: `{"order": {"accept": {..}}}` for scripts and tests. It names use cases and hands
//! them to the door; it knows nothing else. What needs a secret (sign-in, passwords) has no name here.

use super::caller::Caller;
use super::cart::{
    CartAcceptChanges, CartAdd, CartClear, CartFulfilment, CartNote, CartPromotion, CartRemove, CartSetQuantity,
};
use super::door::Door;
use super::menu::{SetAvailable, SetPrice};
use super::menu_categories::{
    AddCategory, AddStation, AddTaxClass, DeleteCategory, EditCategory, MoveCategory, RestoreCategory,
};
use super::menu_edit::{AddItem, DeleteItem, EditItem, MoveItem, RestoreItem};
use super::menu_import::MenuImport;
use super::menu_options::{AddOption, AddOptionGroup, DeleteOption, DeleteOptionGroup, EditOption, EditOptionGroup};
use super::menu_shelves::{EditStation, EditTaxClass, RetireStation, RetireTaxClass};
use super::notices::ReadNotices;
use super::orders::{
    AcceptOrder, AssignCourier, AtVersion, Bump, CancelAssignment, CancelOrder, CloseUncollected, ConfirmCash, Deliver,
    DeliverForCash, ExtendHold, HandOver, HoldOrder, MarkReady, NoShow, NoteOrder, OverridePayment, PayOutRefund,
    PickUp, RecallOrder, RefundOrder, RejectOrder, ReleaseHold, ReturnToStore, SetItemsDone, SetPriority,
    StaffCancelOrder, StartOrder, Undo, VoidOrder, VoidOrderLine,
};
use super::payments::StartPayment;
use super::place::PlaceOrder;
use super::promotions::{AddPromotion, EditPromotion, SetPromotionActive};
use super::settings::SetSetting;
use super::staff::{SetStaffActive, SetStaffRole};
use super::stock::{StockAdjust, StockReceive, StockRecount, StockSet, StockWaste};
use super::terminals::RevokeTerminal;
use super::till::{CashDrop, CashIn, CashPayout, TillClose, TillOpen};
use crate::domain::error::Refused;
use crate::domain::ids::OrderId;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One group of commands: each variant is a use case under the word that names it in JSON.
macro_rules! commands {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident($use_case:ty)),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name {
            $($(#[$variant_doc])* $variant($use_case)),+
        }

        impl $name {
            async fn run(self, door: &Door, caller: &Caller, key: Option<&str>) -> Result<Value, Refused> {
                match self {
                    $(Self::$variant(use_case) => {
                        let output = door.execute(caller, key, use_case).await?;
                        serde_json::to_value(output).map_err(Refused::internal)
                    })+
                }
            }
        }
    };
}

/// As [`commands`], for steps of an order that may be refused where the order has moved since it was seen.
macro_rules! order_commands {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident($use_case:ty)),+ $(,)? }) => {
        commands!($(#[$doc])* $name { $($(#[$variant_doc])* $variant($use_case)),+ });

        impl $name {
            /// Hands the command to the door; refused with `CONFLICT` where the order has moved since it
            /// had this version.
            ///
            /// # Errors
            /// What the door refuses.
            pub async fn run_at(
                self,
                door: &Door,
                caller: &Caller,
                key: Option<&str>,
                (order, seen_version): (OrderId, i64),
            ) -> Result<Value, Refused> {
                match self {
                    $(Self::$variant(then) => {
                        let output = door.execute(caller, key, AtVersion { order, seen_version, then }).await?;
                        serde_json::to_value(output).map_err(Refused::internal)
                    })+
                }
            }
        }
    };
}

commands!(
    /// Commands about carts.
    CartCommand {
        /// Add.
        Add(CartAdd),
        /// Set a quantity.
        SetQuantity(CartSetQuantity),
        /// Remove a line.
        Remove(CartRemove),
        /// Clear.
        Clear(CartClear),
        /// Note.
        Note(CartNote),
        /// Promotion code.
        Promotion(CartPromotion),
        /// How it reaches the customer.
        Fulfilment(CartFulfilment),
        /// Agree to changes.
        AcceptChanges(CartAcceptChanges),
    }
);

order_commands!(
    /// Commands about orders.
    OrderCommand {
        /// T1, T2.
        Place(PlaceOrder),
        /// T5a.
        StartPayment(StartPayment),
        /// T5b.
        Extend(ExtendHold),
        /// T10.
        Accept(AcceptOrder),
        /// T11.
        Reject(RejectOrder),
        /// T13.
        Start(StartOrder),
        /// T14.
        ItemsDone(SetItemsDone),
        /// T15.
        Ready(MarkReady),
        /// T16.
        Recall(RecallOrder),
        /// The bump key.
        Bump(Bump),
        /// The undo key.
        Undo(Undo),
        /// T17.
        Assign(AssignCourier),
        /// T18.
        Unassign(CancelAssignment),
        /// T19.
        PickUp(PickUp),
        /// T20.
        Deliver(Deliver),
        /// T21, T20.
        DeliverForCash(DeliverForCash),
        /// T21.
        ConfirmCash(ConfirmCash),
        /// T22.
        HandOver(HandOver),
        /// T22b.
        CloseUncollected(CloseUncollected),
        /// T8, T9.
        Cancel(CancelOrder),
        /// T23.
        StaffCancel(StaffCancelOrder),
        /// T24.
        Void(VoidOrder),
        /// T24b.
        VoidLine(VoidOrderLine),
        /// T25.
        NoShow(NoShow),
        /// T26.
        Return(ReturnToStore),
        /// T27.
        Refund(RefundOrder),
        /// T28.
        Override(OverridePayment),
        /// T31.
        Priority(SetPriority),
        /// T31.
        Hold(HoldOrder),
        /// T31.
        Release(ReleaseHold),
        /// T31.
        Note(NoteOrder),
        /// T33.
        PayOut(PayOutRefund),
    }
);

commands!(
    /// Commands about stock.
    StockCommand {
        /// A counted thing.
        Set(StockSet),
        /// Goods came in.
        Receive(StockReceive),
        /// A difference.
        Adjust(StockAdjust),
        /// A count.
        Recount(StockRecount),
        /// Thrown away.
        Waste(StockWaste),
    }
);

commands!(
    /// Commands about the menu.
    MenuCommand {
        /// A whole menu.
        Import(MenuImport),
        /// A price.
        SetPrice(SetPrice),
        /// On or off.
        SetAvailable(SetAvailable),
        /// A new item.
        AddItem(AddItem),
        /// What is said about an item.
        EditItem(EditItem),
        /// An item goes.
        DeleteItem(DeleteItem),
        /// An item comes back.
        RestoreItem(RestoreItem),
        /// An item's place.
        MoveItem(MoveItem),
        /// A new category.
        AddCategory(AddCategory),
        /// What is said about a category.
        EditCategory(EditCategory),
        /// A category goes.
        DeleteCategory(DeleteCategory),
        /// A category comes back.
        RestoreCategory(RestoreCategory),
        /// A category's place.
        MoveCategory(MoveCategory),
        /// A new group of options.
        AddOptionGroup(AddOptionGroup),
        /// What is said about a group.
        EditOptionGroup(EditOptionGroup),
        /// A group goes.
        DeleteOptionGroup(DeleteOptionGroup),
        /// A new choice.
        AddOption(AddOption),
        /// What is said about a choice.
        EditOption(EditOption),
        /// A choice goes.
        DeleteOption(DeleteOption),
        /// A new station.
        AddStation(AddStation),
        /// A new tax class.
        AddTaxClass(AddTaxClass),
        /// What is said about a station.
        EditStation(EditStation),
        /// A station goes out of use.
        RetireStation(RetireStation),
        /// What is said about a tax class.
        EditTaxClass(EditTaxClass),
        /// A tax class goes out of use.
        RetireTaxClass(RetireTaxClass),
        /// A promotion code.
        AddPromotion(AddPromotion),
        /// What a promotion code takes off, and when.
        EditPromotion(EditPromotion),
        /// A promotion code on or off.
        SetPromotionActive(SetPromotionActive),
    }
);

commands!(
    /// Commands about the till.
    TillCommand {
        /// Open.
        Open(TillOpen),
        /// Close.
        Close(TillClose),
        /// Cash in.
        CashIn(CashIn),
        /// To the safe.
        Drop(CashDrop),
        /// Paid from the drawer.
        Payout(CashPayout),
    }
);

commands!(
    /// Commands about settings.
    SettingCommand {
        /// Set one.
        Set(SetSetting),
    }
);

commands!(
    /// Commands about staff that need no secret.
    StaffCommand {
        /// Let in, or no longer.
        SetActive(SetStaffActive),
        /// A role.
        SetRole(SetStaffRole),
    }
);

commands!(
    /// Commands about terminals that need no secret.
    TerminalCommand {
        /// Take one off.
        Revoke(RevokeTerminal),
    }
);

commands!(
    /// Commands about what people were told.
    NoticeCommand {
        /// Mark as read.
        Read(ReadNotices),
    }
);

/// A command by name.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Envelope {
    /// About a cart.
    Cart(CartCommand),
    /// About an order.
    Order(Box<OrderCommand>),
    /// About stock.
    Stock(StockCommand),
    /// About the menu.
    Menu(Box<MenuCommand>),
    /// About the till.
    Till(TillCommand),
    /// About a setting.
    Setting(SettingCommand),
    /// About staff.
    Staff(StaffCommand),
    /// About a terminal.
    Terminal(TerminalCommand),
    /// About what people were told.
    Notice(NoticeCommand),
}

impl Envelope {
    /// Reads a command.
    ///
    /// # Errors
    /// `VALIDATION_ERROR` that says what is not understood.
    pub fn from_json(text: &str) -> Result<Self, Refused> {
        serde_json::from_str(text).map_err(|error| {
            Refused::invalid("command", format!("This is not a command: {error}."))
                .help("Give one such as {\"order\": {\"accept\": {\"order\": \"ID\", \"eta_minutes\": null}}}.")
        })
    }

    /// Hands the command to the door; its outcome as JSON.
    ///
    /// # Errors
    /// What the door refuses.
    pub async fn run(self, door: &Door, caller: &Caller, key: Option<&str>) -> Result<Value, Refused> {
        match self {
            Self::Cart(command) => command.run(door, caller, key).await,
            Self::Order(command) => command.run(door, caller, key).await,
            Self::Stock(command) => command.run(door, caller, key).await,
            Self::Menu(command) => command.run(door, caller, key).await,
            Self::Till(command) => command.run(door, caller, key).await,
            Self::Setting(command) => command.run(door, caller, key).await,
            Self::Staff(command) => command.run(door, caller, key).await,
            Self::Terminal(command) => command.run(door, caller, key).await,
            Self::Notice(command) => command.run(door, caller, key).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_read_by_its_name() {
        let text = r#"{"order": {"start": {"order": "00000000-0000-7000-8000-000000000001"}}}"#;
        let Envelope::Order(command) = Envelope::from_json(text).expect("a command") else { panic!("an order") };
        assert!(matches!(*command, OrderCommand::Start(_)));
        for wrong in ["", "{}", r#"{"order": {"steal": {}}}"#, r#"{"staff": {"password": {}}}"#] {
            assert!(Envelope::from_json(wrong).is_err(), "{wrong}");
        }
    }
}
