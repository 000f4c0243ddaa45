//! Signing out.

use crate::account::act::session;
use crate::web::Cookie;
use crate::web::answer::Answer;
use crate::web::guard::Visitor;

/// `POST /sign-out`
pub async fn send(visitor: Visitor) -> Answer {
    if let Some(signed) = &visitor.signed {
        let (office, actor) = (&visitor.app.office, visitor.actor());
        session::sign_out(office, &actor, &signed.account, &signed.session).await?;
    }
    let site = &visitor.app.site;
    visitor
        .go("/sign-in")
        .cookie(Cookie::Session.clear(site))
        .cookie(Cookie::Half.clear(site))
        .say("signin.out")
        .answer()
}
