//! The way of a file of the menu: it is asked for, written or read, and what it would change is looked at
//! before anything does. What stands in a file, and the picture of what it changes, is in `exchange`.

use super::exchange::{self, Preview};
use super::question::Question;
use super::{Book, Origin};
use crate::service::envelope::MenuCommand;
use crate::service::menu_file::MenuFile;
use crate::service::menu_import::{MenuDiff, MenuExport, MenuImport, MenuPreview};
use crate::tui::app::{Cmd, Env, Latest, RequestId};
use crate::tui::keymap::Action;
use crate::tui::screens::console::desk::{Commands, Desk};
use crate::tui::screens::console::message::{Ask, Effect, Msg};
use crate::tui::theme::Token;

/// The file that is under way.
#[derive(Debug, Default)]
pub(super) struct Files {
    /// Its reading or writing, and its name.
    request: Option<RequestId>,
    name: String,
    /// The menu that goes into it.
    export: Latest<MenuFile>,
    /// The menu that came out of it, and what it would change.
    import: Option<MenuFile>,
    diff: Latest<MenuDiff>,
}

impl Files {
    /// Nothing is waited for any more.
    pub(super) fn forget(&mut self) {
        self.request = None;
        self.export.clear();
        self.diff.clear();
    }

    /// Whether this request, which was refused, was for a file.
    pub(super) fn settle(&mut self, request: RequestId) -> bool {
        self.export.settle(request) || self.diff.settle(request)
    }
}

impl Book {
    /// Asks for the menu, which then goes into the file of this name.
    pub(super) fn write_file(&mut self, name: String, desk: &mut Desk, env: &Env<'_>) -> Commands {
        if let Err(refused) = exchange::check_name(&name) {
            self.refuse(&refused, desk, env);
            return Vec::new();
        }
        self.files.name = name;
        desk.ask(&mut self.files.export, Ask::MenuExport(MenuExport))
    }

    /// Reads the file of this name.
    pub(super) fn read_file(&mut self, name: String, desk: &mut Desk, env: &Env<'_>) -> Commands {
        if let Err(refused) = exchange::check_name(&name) {
            self.refuse(&refused, desk, env);
            return Vec::new();
        }
        let request = desk.request();
        self.files.request = Some(request);
        self.files.name.clone_from(&name);
        vec![Cmd::Effect(Effect::Read { request, name })]
    }

    /// The menu has come that goes into the file.
    pub(super) fn exported(&mut self, request: RequestId, menu: &MenuFile, desk: &mut Desk, env: &Env<'_>) -> Commands {
        if !self.files.export.settle(request) {
            return Vec::new();
        }
        match exchange::write(&self.files.name, menu) {
            Ok(content) => {
                let request = desk.request();
                self.files.request = Some(request);
                vec![Cmd::Effect(Effect::Save { request, name: self.files.name.clone(), content })]
            }
            Err(refused) => {
                self.refuse(&refused, desk, env);
                Vec::new()
            }
        }
    }

    /// What the file would change has come.
    pub(super) fn previewed(&mut self, request: RequestId, diff: MenuDiff) {
        if self.files.diff.settle(request)
            && let Some(file) = self.files.import.take()
        {
            self.question = None;
            self.preview = Some(Preview::new(file, diff));
        }
    }

    /// Takes a key while what the file would change is looked at.
    pub(super) fn on_preview(
        &mut self,
        preview: Preview,
        action: Option<Action>,
        desk: &mut Desk,
        env: &Env<'_>,
    ) -> Commands {
        match action {
            Some(Action::Back) => return Vec::new(),
            Some(Action::Import) if preview.overwrites() => {
                if let Some(book) = self.book.get() {
                    let (file, counts) = (preview.file.clone(), preview.counts(env.locale));
                    self.question = Some(Question::overwrite(file, &counts, book, env.locale));
                }
                self.preview = Some(preview);
            }
            Some(Action::Import) if !preview.is_empty() => {
                let command = MenuImport { file: preview.file.clone(), dry_run: false, reason: None };
                self.preview = Some(preview);
                let busy = desk.is_busy();
                let commands = self.act(MenuCommand::Import(command), String::new(), desk, env);
                if !busy {
                    self.origin = Origin::Preview;
                }
                return commands;
            }
            Some(action) => {
                let mut preview = preview;
                preview.on_action(action);
                self.preview = Some(preview);
            }
            None => self.preview = Some(preview),
        }
        Vec::new()
    }

    /// The file was written, or what stands in it has come.
    pub(super) fn on_file_answer(&mut self, message: Msg, desk: &mut Desk, env: &Env<'_>) -> Commands {
        match message {
            Msg::Saved { request, result } if self.files.request == Some(request) => {
                self.files.request = None;
                match result {
                    Ok(path) => {
                        self.question = None;
                        let path = path.display().to_string();
                        desk.say(env.locale.t_args("menu_book.exported", &[("path", &path)]), Token::Success, env);
                    }
                    Err(refused) => self.refuse(&refused, desk, env),
                }
            }
            Msg::Read { request, result } if self.files.request == Some(request) => {
                self.files.request = None;
                match result.and_then(|content| exchange::read(&self.files.name, &content)) {
                    Ok(file) => {
                        self.files.import = Some(file.clone());
                        return desk.ask(&mut self.files.diff, Ask::MenuPreview(MenuPreview { file }));
                    }
                    Err(refused) => self.refuse(&refused, desk, env),
                }
            }
            _ => {}
        }
        Vec::new()
    }
}
