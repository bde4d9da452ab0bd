//! The pieces that screens are made of. Each draws itself into an area and nothing else: no I/O, no
//! colours of its own (only theme tokens), no words of its own (only the catalogue), and no panic
//! at any size or with any text.

pub mod badge;
pub mod banner;
pub mod bars;
pub mod big_digits;
pub mod columns;
pub mod countdown;
pub mod dialog;
pub mod footer;
pub mod form;
pub mod heat_map;
pub mod help;
pub mod input;
pub mod list;
pub mod page;
pub mod panel;
pub mod sparkline;
pub mod table;
pub mod toast;
pub mod too_small;
