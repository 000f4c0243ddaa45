//! The second factor: set up with a picture and a code, switched off.

use axum::Form;
use serde::Deserialize;

use crate::account::act::check::Mistake;
use crate::account::act::second_factor::{self, Offer, On};
use crate::secret::Secret;
use crate::web::Cookie;
use crate::web::answer::{Answer, Page};
use crate::web::guard::Member;
use crate::web::limit::Cost;

/// The form.
#[derive(Debug, Deserialize)]
pub struct Sent {
    #[serde(default)]
    offer: String,
    #[serde(default)]
    code: String,
}

/// `GET /account/second-factor`
pub async fn show(member: Member) -> Answer {
    if member.account.has_totp {
        return member.page("account/second-factor-on.html").answer();
    }
    member.fresh()?;
    let issuer = &member.app.site.name;
    let offer = second_factor::offer(&member.app.office, &member.account, issuer);
    page(&member, &offer).answer()
}

/// `POST /account/second-factor`
pub async fn send(member: Member, Form(sent): Form<Sent>) -> Answer {
    member.fresh()?;
    member.limit(Cost::Try)?;
    let (account, here) = (&member.account, &member.session);
    let (office, actor) = (&member.app.office, member.actor());
    match second_factor::on(office, &actor, account, here, &sent.offer, &sent.code).await? {
        On::Done { codes, key } => self::codes(&member, &codes)
            .cookie(Cookie::Session.set(&member.app.site, key.reveal(), None))
            .answer(),
        On::Wrong(mistake) => again(&member, &sent.offer, &mistake),
        On::Gone => member.go("/account/second-factor").answer(),
    }
}

/// `POST /account/second-factor/off`
pub async fn off(member: Member) -> Answer {
    member.fresh()?;
    member.limit(Cost::Form)?;
    let (office, actor) = (&member.app.office, member.actor());
    second_factor::off(office, &actor, &member.account, &member.session).await?;
    member.go("/account").say("second_factor.off").answer()
}

/// The page that shows recovery codes, once.
pub(super) fn codes(member: &Member, codes: &[Secret<String>]) -> Page {
    let codes: Vec<&str> = codes.iter().map(|code| code.reveal().as_str()).collect();
    member.page("account/codes.html").with("codes", &codes)
}

fn again(member: &Member, sealed: &str, mistake: &Mistake) -> Answer {
    let (office, issuer) = (&member.app.office, &member.app.site.name);
    let offer = second_factor::again(office, &member.account, issuer, sealed)
        .unwrap_or_else(|| second_factor::offer(office, &member.account, issuer));
    page(member, &offer)
        .mistakes(std::slice::from_ref(mistake))
        .answer()
}

fn page(member: &Member, offer: &Offer) -> Page {
    member
        .page("account/second-factor.html")
        .with("offer", &offer.sealed)
        .with("seed", &grouped(offer.base32.reveal()))
        .with("picture", &offer.picture)
}

/// Four letters at a time are easier to type.
fn grouped(text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    let groups = letters
        .chunks(4)
        .map(|some| some.iter().collect::<String>());
    groups.collect::<Vec<_>>().join(" ")
}
