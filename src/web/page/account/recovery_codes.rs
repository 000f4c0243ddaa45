//! New recovery codes.

use crate::account::act::second_factor;
use crate::web::answer::{Answer, Fault};
use crate::web::guard::Member;
use crate::web::limit::Cost;

/// `GET /account/recovery-codes`
pub async fn show(member: Member) -> Answer {
    if !member.account.has_totp {
        return Err(Fault::Missing);
    }
    member.fresh()?;
    let left = second_factor::left(&member.app.office, &member.account).await?;
    member
        .page("account/recovery-codes.html")
        .with("left", &left)
        .answer()
}

/// `POST /account/recovery-codes`
pub async fn send(member: Member) -> Answer {
    if !member.account.has_totp {
        return Err(Fault::Missing);
    }
    member.fresh()?;
    member.limit(Cost::Form)?;
    let (office, actor) = (&member.app.office, member.actor());
    let codes = second_factor::codes(office, &actor, &member.account).await?;
    super::second_factor::codes(&member, &codes).answer()
}
