//! The terminal: the transport-neutral core on which every screen of the house stands.
//!
//! A screen is an [`app::App`]: a pure state machine that turns inputs into commands and draws
//! itself. [`runtime`] drives it over any [`surface::Surface`] and any stream of input events;
//! [`terminal`] and [`local_input`] are the files that touch the real terminal, [`decoder`] makes events of its bytes. Screens live under `screens/`, one
//! folder per role. Nothing in this folder may open a store: effects are run by the caller.
//!
//! A screen in short: `update` asks [`app::Env::action`] what an input means, changes its state and
//! returns commands; `view` draws a [`widgets::page`] and fills its body with other [`widgets`];
//! words come from [`locale`], looks from [`theme`], and a [`testing::Harness`] tries it.

pub mod app;
mod cell_codes;
mod control_sequence;
pub mod decoder;
pub mod key;
pub mod keymap;
pub mod local_input;
pub mod locale;
mod picture;
pub mod refusal;
mod repaint;
pub mod runtime;
pub mod screens;
mod scroll;
pub mod surface;
pub mod terminal;
pub mod testing;
pub mod text;
pub mod theme;
pub mod ui;
pub mod vocabulary;
pub mod widgets;
