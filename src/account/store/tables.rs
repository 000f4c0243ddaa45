//! What an export carries: the tables and their columns, those aside that follow from others
//! (the class, the words of the search, the order of addresses).

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Is {
    /// A text of at most so many characters.
    Text(usize),
    /// The same, or nothing.
    MaybeText(usize),
    /// A whole number.
    Number,
    /// The same, or nothing.
    MaybeNumber,
}

/// A table of an export.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) name: &'static str,
    /// Its key: one column or two, texts.
    pub(super) key: &'static [&'static str],
    pub(super) columns: &'static [(&'static str, Is)],
}

/// The longest text that is read back: a sealed mail.
pub(super) const LONGEST: usize = 4 * 1024 * 1024;

use Is::{MaybeNumber, MaybeText, Number, Text};

/// In an order in which a row's references come before it.
pub(super) const TABLES: &[Table] = &[
    Table {
        name: "account_groups",
        key: &["id"],
        columns: &[
            ("id", Text(40)),
            ("name", Text(100)),
            ("description", Text(LONGEST)),
            ("created", Number),
        ],
    },
    Table {
        name: "accounts",
        key: &["id"],
        columns: &[
            ("id", Text(40)),
            ("login", Text(64)),
            ("login_skeleton", Text(190)),
            ("email", MaybeText(190)),
            // Nothing while a sign-up only claims the address.
            ("email_key", MaybeText(190)),
            ("display_name", Text(190)),
            ("state", Text(16)),
            ("role", Text(16)),
            ("language", Text(16)),
            ("origin", Text(16)),
            ("reason", Text(LONGEST)),
            ("created", Number),
            ("state_since", Number),
            ("last_seen", Number),
            ("password", Text(LONGEST)),
            ("scram_sha_1", MaybeText(LONGEST)),
            ("scram_sha_256", MaybeText(LONGEST)),
            ("totp_seed", MaybeText(LONGEST)),
            ("totp_step", Number),
            ("stamp", Text(64)),
        ],
    },
    Table {
        name: "memberships",
        key: &["account", "grp"],
        columns: &[("account", Text(40)), ("grp", Text(40))],
    },
    Table {
        name: "tokens",
        key: &["hash"],
        columns: &[
            ("hash", Text(64)),
            ("purpose", Text(16)),
            ("account", Text(40)),
            ("data", Text(LONGEST)),
            ("created", Number),
            ("expires", Number),
            ("used", MaybeNumber),
        ],
    },
    Table {
        name: "sessions",
        key: &["hash"],
        columns: &[
            ("hash", Text(64)),
            ("account", Text(40)),
            ("created", Number),
            ("seen", Number),
            ("expires", Number),
            ("fresh_at", Number),
            ("second_factor", Number),
            ("address", Text(64)),
            ("agent", Text(200)),
        ],
    },
    Table {
        name: "recovery_codes",
        key: &["account", "hash"],
        columns: &[
            ("account", Text(40)),
            ("hash", Text(64)),
            ("created", Number),
            ("used", MaybeNumber),
        ],
    },
    Table {
        name: "invites",
        key: &["hash"],
        columns: &[
            ("hash", Text(64)),
            ("label", Text(190)),
            ("grp", MaybeText(40)),
            ("uses_left", Number),
            ("created", Number),
            ("expires", Number),
            ("created_by", MaybeText(40)),
        ],
    },
    Table {
        name: "notes",
        key: &["id"],
        columns: &[
            ("id", Text(40)),
            ("account", Text(40)),
            ("author", Text(190)),
            ("at", Number),
            ("body", Text(LONGEST)),
        ],
    },
    Table {
        name: "audit",
        key: &["id"],
        columns: &[
            ("id", Text(40)),
            ("at", Number),
            ("actor", MaybeText(40)),
            ("actor_name", Text(190)),
            ("address", Text(64)),
            ("agent", Text(200)),
            ("action", Text(64)),
            ("target", MaybeText(40)),
            ("target_name", Text(190)),
            ("outcome", Text(16)),
            ("detail", Text(LONGEST)),
        ],
    },
    Table {
        name: "outbox",
        key: &["id"],
        columns: &[
            ("id", Text(40)),
            ("kind", Text(16)),
            ("recipient", Text(190)),
            ("body", Text(LONGEST)),
            ("created", Number),
            ("next_try", Number),
            ("tries", Number),
            ("state", Text(16)),
            ("error", Text(LONGEST)),
            ("lease", Text(64)),
            ("lease_until", Number),
        ],
    },
    Table {
        name: "limits",
        key: &["name"],
        columns: &[("name", Text(190)), ("hits", Number), ("until", Number)],
    },
    Table {
        name: "settings",
        key: &["name"],
        columns: &[
            ("name", Text(100)),
            ("value", Text(LONGEST)),
            ("changed", Number),
            ("changed_by", Text(190)),
        ],
    },
];

impl Table {
    /// Its columns, with commas between them.
    pub(super) fn list(&self) -> String {
        let names: Vec<&str> = self.columns.iter().map(|(name, _)| *name).collect();
        names.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::store::migrate::MIGRATIONS;

    /// Every column of the migrations is in an export, or follows from another.
    #[test]
    fn no_column_is_forgotten() {
        let follows = ["email_order", "class", "search"];
        let text = MIGRATIONS
            .iter()
            .map(|migration| migration.text)
            .collect::<String>();
        for part in text.split("CREATE TABLE ").skip(1) {
            let (name, rest) = part.split_once(" (").unwrap();
            if name == "words" {
                continue;
            }
            let table = TABLES.iter().find(|table| table.name == name);
            let table = table.unwrap_or_else(|| panic!("{name} is in no export"));
            for line in rest
                .lines()
                .skip(1)
                .take_while(|line| !line.starts_with(')'))
            {
                let word = line.trim().split(' ').next().unwrap();
                assert!(
                    ["PRIMARY", "FOREIGN"].contains(&word)
                        || (name == "accounts" && follows.contains(&word))
                        || table.columns.iter().any(|(column, _)| *column == word),
                    "{name}.{word}"
                );
            }
        }
    }
}
