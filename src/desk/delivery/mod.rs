//! Carries what waits in the outbox to a mail server, into a folder, or to a webhook. An instance
//! takes a few at a time under a lease, so that several never send one twice; one that dies leaves
//! its share until the lease ends. What is refused for good is given up with the server's words,
//! everything else is tried again after growing pauses, for three days.

mod folder;
mod hook;
mod letter;
mod smtp;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::file::Secrets;
use super::metrics::{Delivery, Metrics};
use crate::account::Office;
use crate::account::act::outbox;
use crate::account::post::Mail;
use crate::account::settings::Settings;
use crate::account::store::{Error, Queued, What};
use hook::Hook;
use letter::Sender;
use smtp::{Line, Server, Tls};

/// How many are taken at a time.
const SHARE: usize = 20;
/// Seconds for which they are ours; in the second half nothing new is begun.
const LEASE: i64 = 240;
/// How often the outbox is looked at when nothing is known to be due.
const LOOK: Duration = Duration::from_secs(2);
/// Seconds until the next try, by the number of tries; the last for all that follow.
const PAUSES: [i64; 10] = [5, 30, 120, 600, 1800, 3600, 3600, 7200, 10_800, 14_400];
/// Seconds after which nothing is tried any more.
const LIFETIME: i64 = 3 * 86_400;

/// Why something was not delivered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Trouble {
    /// Another try may help.
    #[error("{0}")]
    Passing(String),
    /// Another try may help, and what else waits for the same server need not be tried now.
    #[error("{0}")]
    Away(String),
    /// None will.
    #[error("{0}")]
    Lasting(String),
}

impl Trouble {
    /// The same without an address.
    fn without(self, address: &str) -> Self {
        let veil = |why: String| {
            if address.is_empty() {
                why
            } else {
                why.replace(address, "…")
            }
        };
        match self {
            Self::Passing(why) => Self::Passing(veil(why)),
            Self::Away(why) => Self::Away(veil(why)),
            Self::Lasting(why) => Self::Lasting(veil(why)),
        }
    }
}

/// How things leave.
pub(super) struct Courier {
    sender: Sender,
    way: Way,
    hook: Option<Hook>,
    line: Option<Line>,
}

#[derive(Debug, Clone)]
enum Way {
    Server(Server),
    Folder(PathBuf),
    Nowhere,
}

impl Courier {
    /// By the settings.
    pub(super) fn new(settings: &Settings, secrets: &Secrets) -> Result<Self, Trouble> {
        let mail = &settings.mail;
        let sender = Sender::new(&mail.from, &settings.public_url)?;
        let tls = match mail.tls.as_str() {
            "implicit" => Tls::Implicit,
            "none" => Tls::None,
            _ => Tls::Required,
        };
        let usual = match tls {
            Tls::Required => 587,
            Tls::Implicit => 465,
            Tls::None => 25,
        };
        let way = match &mail.folder {
            Some(folder) => Way::Folder(folder.into()),
            None if mail.host.is_empty() => Way::Nowhere,
            None => Way::Server(Server {
                host: mail.host.clone(),
                port: mail.port.unwrap_or(usual),
                tls,
                ca_file: mail.ca_file.as_ref().map(PathBuf::from),
                login: mail.username.clone().zip(secrets.mail.clone()),
                hello: sender.domain().to_owned(),
            }),
        };
        let hook = settings.notify.webhook.clone().map(|url| Hook {
            url,
            key: secrets.webhook.clone(),
        });
        Ok(Self {
            sender,
            way,
            hook,
            line: None,
        })
    }

    /// Sends one mail now.
    pub(super) async fn mail(&mut self, mail: &Mail, id: &str, millis: i64) -> Result<(), Trouble> {
        let letter = self.sender.write(mail, id, millis)?;
        match &self.way {
            Way::Nowhere => Err(Trouble::Away(
                "no mail leaves: `[mail]` names neither `host` nor `folder`".into(),
            )),
            Way::Folder(folder) => put(folder, id, letter.bytes).await,
            Way::Server(server) => {
                let mut line = match self.line.take() {
                    Some(line) => line,
                    None => server.open().await?,
                };
                line.send(&letter).await?;
                self.line = Some(line);
                Ok(())
            }
        }
    }

    /// Looks whether the server is there and takes us, and sends nothing.
    pub(super) async fn greet(&self) -> Result<(), Trouble> {
        if let Way::Server(server) = &self.way {
            server.open().await?.close().await;
        }
        Ok(())
    }

    /// Who takes mails, for people.
    pub(super) fn way(&self) -> String {
        match &self.way {
            Way::Server(server) => format!("`{}`, port {}", server.host, server.port),
            Way::Folder(folder) => format!("the folder `{}`", folder.display()),
            Way::Nowhere => "nobody".into(),
        }
    }

    /// Ends the connection to the server.
    pub(super) async fn rest(&mut self) {
        if let Some(line) = self.line.take() {
            line.close().await;
        }
    }

    async fn carry(&mut self, office: &Office, queued: &Queued) -> Result<(), Trouble> {
        let body = outbox::open(office, queued).ok_or_else(|| {
            Trouble::Lasting("it was sealed with another key (`key_file` has changed)".into())
        })?;
        let unread = |_| Trouble::Lasting("its contents cannot be read".into());
        match queued.what {
            What::Mail => {
                let mail: Mail = serde_json::from_slice(&body)
                    .map_err(|_| Trouble::Lasting("its contents cannot be read".into()))?;
                // One that waited for long still says when it was written.
                self.mail(&mail, &queued.id, queued.created * 1000).await
            }
            What::Webhook => {
                let hook = self.hook.as_ref().ok_or_else(|| {
                    Trouble::Lasting("there is no `notify.webhook` any more".into())
                })?;
                hook.send(&queued.id, String::from_utf8(body).map_err(unread)?)
                    .await
            }
        }
    }
}

async fn put(folder: &Path, id: &str, bytes: Vec<u8>) -> Result<(), Trouble> {
    let (folder, id) = (folder.to_owned(), id.to_owned());
    let shown = folder.display().to_string();
    let written = tokio::task::spawn_blocking(move || folder::put(&folder, &id, &bytes)).await;
    match written {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(Trouble::Passing(format!("`{shown}`: {error}"))),
        Err(error) => Err(Trouble::Passing(error.to_string())),
    }
}

/// Delivers until the service leaves; what is under way is finished.
pub(super) async fn work(
    office: Office,
    mut courier: Courier,
    metrics: Arc<Metrics>,
    mut leaving: watch::Receiver<bool>,
) {
    loop {
        match round(&office, &mut courier, &metrics, &leaving).await {
            // There may be more.
            Ok(SHARE) => continue,
            Ok(_) => {}
            Err(error) => {
                metrics.database_error();
                tracing::warn!(%error, "the outbox cannot be read");
            }
        }
        courier.rest().await;
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            _ = leaving.wait_for(|leaving| *leaving) => break,
        }
    }
}

/// Takes what is due and tries it once; how many there were.
async fn round(
    office: &Office,
    courier: &mut Courier,
    metrics: &Metrics,
    leaving: &watch::Receiver<bool>,
) -> Result<usize, Error> {
    let now = office.world.now();
    // A look that costs little: most of the time there is nothing.
    if office
        .store
        .next_delivery()
        .await?
        .is_none_or(|due| due > now)
    {
        return Ok(0);
    }
    let lease = office.world.id();
    let taken = office.store.claim(&lease, now, now + LEASE, SHARE).await?;
    let count = taken.len();
    let mut away = None;
    for queued in taken {
        if *leaving.borrow() || office.world.now() >= now + LEASE / 2 {
            // Back at once, not after the lease; it was not tried, but that is counted.
            office.store.put_off(&queued.id, &lease, "", now).await?;
            continue;
        }
        let carried = match &away {
            Some(why) if queued.what == What::Mail => Err(Trouble::Away(String::clone(why))),
            _ => courier.carry(office, &queued).await,
        };
        if let Err(Trouble::Away(why)) = &carried {
            away = Some(why.clone());
        }
        settle(office, metrics, &queued, &lease, carried).await?;
    }
    Ok(count)
}

async fn settle(
    office: &Office,
    metrics: &Metrics,
    queued: &Queued,
    lease: &str,
    carried: Result<(), Trouble>,
) -> Result<(), Error> {
    let (id, kind) = (queued.id.as_str(), queued.what.as_str());
    // Servers like to repeat the address; whose it is belongs neither into the log nor beside it.
    let carried = carried.map_err(|trouble| trouble.without(&queued.recipient));
    let is_mail = queued.what == What::Mail;
    let now = office.world.now();
    let is_old = now - queued.created > LIFETIME;
    match carried {
        Ok(()) => {
            metrics.delivery(is_mail, Delivery::Sent);
            tracing::info!(id, kind, tries = queued.tries, "delivered");
            office.store.delivered(id, lease).await?;
        }
        Err(Trouble::Passing(why) | Trouble::Away(why)) if !is_old => {
            metrics.delivery(is_mail, Delivery::Postponed);
            let place = usize::try_from(queued.tries - 1).unwrap_or(0);
            let pause = PAUSES[place.min(PAUSES.len() - 1)];
            tracing::warn!(
                id,
                kind,
                tries = queued.tries,
                pause,
                why,
                "not delivered yet"
            );
            office.store.put_off(id, lease, &why, now + pause).await?;
        }
        Err(Trouble::Passing(why) | Trouble::Away(why) | Trouble::Lasting(why)) => {
            metrics.delivery(is_mail, Delivery::Refused);
            tracing::error!(id, kind, tries = queued.tries, why, "given up");
            office.store.give_up(id, lease, &why).await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_says_is_kept_without_the_address() {
        let said = "550 5.1.1 <ann@example.org>: no such user".to_owned();
        let kept = Trouble::Lasting(said).without("ann@example.org");
        assert_eq!(kept.to_string(), "550 5.1.1 <…>: no such user");
        let kept = Trouble::Passing("451 later".into()).without("");
        assert_eq!(kept.to_string(), "451 later");
    }
}
