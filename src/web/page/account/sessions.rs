//! Where one is signed in.

use axum::Form;
use serde::Deserialize;
use serde_json::json;

use super::moment;
use crate::account::act::session;
use crate::web::answer::{Answer, Fault};
use crate::web::guard::Member;
use crate::web::limit::Cost;

/// The form beside a session.
#[derive(Debug, Deserialize)]
pub struct Sent {
    #[serde(default)]
    session: String,
}

/// `GET /account/sessions`
pub async fn show(member: Member) -> Answer {
    let found = session::list(&member.app.office, &member.account).await?;
    let rows = found.iter().map(|one| {
        json!({
            "id": one.hash,
            "is_this": one.hash == member.session.hash,
            "began": moment(one.created),
            "seen": moment(one.seen),
            "address": one.address,
            "agent": one.agent,
        })
    });
    member
        .page("account/sessions.html")
        .with("sessions", &rows.collect::<Vec<_>>())
        .answer()
}

/// `POST /account/sessions/end`
pub async fn end(member: Member, Form(sent): Form<Sent>) -> Answer {
    member.limit(Cost::Form)?;
    let (office, actor) = (&member.app.office, member.actor());
    if !session::end_one(office, &actor, &member.account, &sent.session).await? {
        return Err(Fault::Missing);
    }
    member
        .go("/account/sessions")
        .say("sessions.ended")
        .answer()
}

/// `POST /account/sessions/end-others`
pub async fn end_others(member: Member) -> Answer {
    member.limit(Cost::Form)?;
    let (office, actor) = (&member.app.office, member.actor());
    session::end_others(office, &actor, &member.account, &member.session).await?;
    member
        .go("/account/sessions")
        .say("sessions.ended_others")
        .answer()
}
