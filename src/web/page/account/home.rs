//! What there is about one's account, and where it is changed.

use super::moment;
use crate::web::answer::Answer;
use crate::web::guard::Member;

/// `GET /account`
pub async fn show(member: Member) -> Answer {
    let account = &member.account;
    let needs = member.app.office.settings.sessions.staff_second_factor
        && account.role > crate::account::Role::Member
        && !account.has_totp;
    member
        .page("account/home.html")
        .with("login", &account.login)
        .with("display_name", &account.display_name)
        .with("email", &account.email)
        .with("role", &account.role)
        .with("created", &moment(account.created))
        .with("has_totp", &account.has_totp)
        .with("needs_totp", &needs)
        .answer()
}
