//! Who sits at a screen: the person who signed in, the secrets by which they prove it, and the accounts
//! that the demo store shows. Plain data; the form that asks for it is in `credentials`.

use crate::domain::access::Role;
use std::fmt;

/// A password or a PIN: never shown by `Debug`, so that it cannot get into a log.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// A person's name with the PIN that proves it, for one command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonPin {
    /// The name under which the person signs in.
    pub username: String,
    /// The PIN.
    pub pin: Secret,
}

/// A person who has signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The name under which the person signs in.
    pub username: String,
    /// The name for people.
    pub name: String,
    /// The role.
    pub role: Role,
}

/// An account of the demo store, which its sign-in form shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DemoAccount {
    /// The name under which the person signs in.
    pub username: String,
    /// The password.
    pub password: String,
    /// The PIN.
    pub pin: String,
}
