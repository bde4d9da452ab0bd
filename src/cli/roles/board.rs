//! The "now serving" board.

use super::heartbeat::Heart;
use super::screen::{Wishes, show};
use crate::cli::app::House;
use crate::domain::error::Refused;
use crate::service::kitchen::ShowBoard;
use crate::service::terminals::TerminalRole;
use crate::service::{Caller, Door};
use crate::tui::screens::board::{Board, Effect, Msg};
use futures::FutureExt;
use futures::future::BoxFuture;
use std::process::ExitCode;

/// Shows the board until it is ended.
///
/// # Errors
/// As `show`.
pub async fn run(house: House) -> Result<ExitCode, Refused> {
    let _heart = Heart::register(&house, TerminalRole::Board).await;
    let mut app = Board::new();
    let door = house.door.clone();
    show(&house, &mut app, Wishes { mouse: false, wipe: false }, move |effect| carry_out(door.clone(), effect)).await
}

/// Does what the board asks for.
pub fn carry_out(door: Door, effect: Effect) -> BoxFuture<'static, Msg> {
    async move {
        match effect {
            Effect::LoadBoard { request } => Msg::Board { request, result: door.ask(&Caller::System, ShowBoard).await },
        }
    }
    .boxed()
}
