//! Decides about each candidate, and writes those that are taken over.
//!
//! A batch is decided inside the transaction that writes it: who signs up meanwhile is seen. What
//! is known of earlier batches (names, looks, addresses) is kept, so that two in one source that
//! come to the same name are told apart from a second run.

mod decide;

use std::collections::{HashMap, HashSet};

use super::candidate::{Candidate, Unfit};
use super::{ImportError, Options, Report};
use crate::account::act::check::unseen;
use crate::account::audit::Entry;
use crate::account::login::Login;
use crate::account::password::Keys;
use crate::account::store::{self, Group, GroupId, Holder, Incoming, Work, email_key};
use crate::account::{Office, Origin};
use crate::secret::Secret;

/// Candidates of a batch, and with it of a transaction.
pub const BATCH: usize = 2000;
/// How often a batch is decided anew when somebody was faster.
const TRIES: usize = 3;

/// A piece of a source.
pub type Piece = Result<Candidate, Unfit>;

/// An import under way.
pub struct Run<'a> {
    office: &'a Office,
    origin: Origin,
    options: &'a Options,
    report: Report,
    /// Canonical names of this source, and where they stand.
    logins: HashMap<Box<str>, Box<str>>,
    /// What they look like, and their addresses.
    looks: HashSet<Box<str>>,
    emails: HashMap<Box<str>, Box<str>>,
}

impl std::fmt::Debug for Run<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Run({:?}, {} seen)", self.origin, self.report.seen)
    }
}

/// A batch as it was decided; it counts when it is written.
#[derive(Default)]
struct Decided {
    report: Report,
    accounts: Vec<Incoming>,
    plain: Vec<(usize, Secret<String>)>,
    logins: HashMap<Box<str>, Box<str>>,
    looks: HashSet<Box<str>>,
    emails: HashMap<Box<str>, Box<str>>,
    groups: HashMap<String, GroupId>,
    new_groups: Vec<Group>,
}

impl<'a> Run<'a> {
    /// Begins.
    #[must_use]
    pub fn new(office: &'a Office, origin: Origin, options: &'a Options) -> Self {
        Self {
            office,
            origin,
            options,
            report: Report {
                dry_run: options.dry_run,
                ..Report::default()
            },
            logins: HashMap::new(),
            looks: HashSet::new(),
            emails: HashMap::new(),
        }
    }

    /// What became of everybody so far.
    #[must_use]
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// Takes everything that a source gives, a batch at a time.
    ///
    /// # Errors
    /// When the source or the database ends it; batches before are written.
    pub async fn all(
        &mut self,
        source: impl Iterator<Item = Result<Piece, ImportError>>,
        progress: &mut (dyn FnMut(&Report) + Send),
    ) -> Result<(), ImportError> {
        let mut batch = Vec::with_capacity(BATCH);
        for piece in source {
            match piece {
                Ok(piece) => batch.push(piece),
                // What was read before the source broke off is good.
                Err(why) => {
                    self.take(batch).await?;
                    return Err(why);
                }
            }
            if batch.len() == BATCH {
                self.take(std::mem::replace(&mut batch, Vec::with_capacity(BATCH)))
                    .await?;
                progress(&self.report);
            }
        }
        self.take(batch).await?;
        progress(&self.report);
        Ok(())
    }

    /// Decides about a batch and writes it, in one transaction.
    ///
    /// # Errors
    /// What the database refuses.
    pub async fn take(&mut self, batch: Vec<Piece>) -> Result<(), ImportError> {
        if batch.is_empty() {
            return Ok(());
        }
        let mut tried = 1;
        loop {
            match self.once(&batch).await {
                Ok(decided) => {
                    self.report.append(decided.report);
                    self.logins.extend(decided.logins);
                    self.looks.extend(decided.looks);
                    self.emails.extend(decided.emails);
                    return Ok(());
                }
                // Somebody was faster between the look and the writing.
                Err(Failed::Store(store::Error::Taken(_) | store::Error::Busy { .. }))
                    if tried < TRIES =>
                {
                    tried += 1;
                }
                Err(Failed::Store(why)) => return Err(ImportError::Store(why.to_string())),
                Err(Failed::Hasher) => {
                    let why =
                        "passwords could not be hashed: the machine gives no memory or chance";
                    return Err(ImportError::Store(why.into()));
                }
            }
        }
    }

    /// The report of the whole, written to the audit trail when anything was.
    ///
    /// # Errors
    /// What the database refuses.
    pub async fn finish(self) -> Result<Report, ImportError> {
        let Self {
            office,
            origin,
            options,
            report,
            ..
        } = self;
        if !report.dry_run && report.taken > 0 {
            let detail = format!(
                "from {}: {} taken over, {} there already, {} refused, {} must set a new password",
                origin.as_str(),
                report.taken,
                report.already,
                report.refused.count,
                report.must_reset.count
            );
            let entry = Entry::new("import.done", None, "done").detail(detail);
            let written = async {
                let work = office.store.begin().await?;
                work.append(&*office.world, &options.actor, &entry).await?;
                work.commit().await
            };
            let written: store::Result<()> = written.await;
            written.map_err(|why| ImportError::Store(why.to_string()))?;
        }
        Ok(report)
    }

    async fn once(&self, batch: &[Piece]) -> Result<Decided, Failed> {
        let work = self.office.store.begin().await?;
        let mut decided = self.decide(&work, batch).await?;
        if self.options.dry_run {
            work.roll_back().await?;
            return Ok(decided);
        }
        if !decided.plain.is_empty() {
            // Slow: nobody should wait for a transaction meanwhile. It is decided anew afterwards.
            work.roll_back().await?;
            let made = self.hashed(std::mem::take(&mut decided.plain)).await?;
            let work = self.office.store.begin().await?;
            for (at, keys) in made {
                decided.accounts[at].new.keys = Some(keys);
            }
            self.write(&work, &decided).await?;
            work.commit().await?;
            return Ok(decided);
        }
        self.write(&work, &decided).await?;
        work.commit().await?;
        Ok(decided)
    }

    async fn write(&self, work: &Work, decided: &Decided) -> store::Result<()> {
        for group in &decided.new_groups {
            work.add_group(group).await?;
        }
        let (world, actor) = (&*self.office.world, &self.options.actor);
        work.add_incoming(world, actor, &decided.accounts).await
    }

    /// Hashes passwords that were kept as they are, as many at a time as there are places.
    async fn hashed(
        &self,
        plain: Vec<(usize, Secret<String>)>,
    ) -> Result<Vec<(usize, Keys)>, Failed> {
        let mut made = Vec::with_capacity(plain.len());
        let mut tasks = tokio::task::JoinSet::new();
        let mut rest = plain.into_iter();
        loop {
            while tasks.len() < 8
                && let Some((at, password)) = rest.next()
            {
                let hasher = self.office.hasher.clone();
                tasks.spawn(async move { hasher.make(&password, "").await.map(|keys| (at, keys)) });
            }
            match tasks.join_next().await {
                None => return Ok(made),
                Some(Ok(Ok(one))) => made.push(one),
                Some(_) => return Err(Failed::Hasher),
            }
        }
    }

    async fn decide(&self, work: &Work, batch: &[Piece]) -> Result<Decided, Failed> {
        let parsed = |piece: &Piece| Login::parse_known(&piece.as_ref().ok()?.login).ok();
        let known: Vec<Option<Login>> = batch.iter().map(parsed).collect();
        let names: Vec<String> = known.iter().flatten().map(|l| l.as_str().into()).collect();
        let looks: Vec<String> = known.iter().flatten().map(Login::skeleton).collect();
        let people = batch.iter().flatten();
        let emails: Vec<String> = people
            .filter(|candidate| !candidate.email.is_empty())
            .map(|candidate| email_key(&candidate.email))
            .collect();
        let there = There {
            holders: work
                .holders(&names)
                .await?
                .into_iter()
                .map(|holder| (holder.login.clone(), holder))
                .collect(),
            looks: work.taken_skeletons(&looks).await?.into_iter().collect(),
            emails: work.taken_emails(&emails).await?.into_iter().collect(),
        };
        let groups = work.groups().await?;
        let mut decided = Decided {
            groups: groups.into_iter().map(|g| (g.name, g.id)).collect(),
            ..Decided::default()
        };
        for piece in batch {
            decided.report.seen += 1;
            match piece {
                Ok(candidate) => self.one(candidate, &there, &mut decided),
                Err(unfit) => {
                    let notes = if unfit.on_purpose {
                        &mut decided.report.left_alone
                    } else {
                        &mut decided.report.refused
                    };
                    notes.add(&unfit.place, &unfit.login, &unfit.why);
                }
            }
        }
        Ok(decided)
    }
}

/// What of a batch is in the database.
struct There {
    holders: HashMap<String, Holder>,
    looks: HashSet<String>,
    emails: HashSet<String>,
}

enum Failed {
    Store(store::Error),
    Hasher,
}

impl From<store::Error> for Failed {
    fn from(why: store::Error) -> Self {
        Self::Store(why)
    }
}

/// A name to show: on one line, without what cannot be seen, at most 100 characters; the login when empty.
fn shown(name: &str, login: &Login) -> String {
    let words: Vec<&str> = name
        .split(|c: char| c.is_whitespace() || unseen(c))
        .filter(|word| !word.is_empty())
        .collect();
    if words.is_empty() {
        return login.as_str().to_owned();
    }
    cut(&words.join(" "), 100)
}

fn cut(text: &str, most: usize) -> String {
    let plain = text.chars().filter(|c| !unseen(*c));
    plain.take(most).collect()
}
