//! The front page: on to one's account, or to the sign-in.

use crate::web::answer::Answer;
use crate::web::guard::Visitor;

/// `GET /`
pub async fn show(visitor: Visitor) -> Answer {
    let page = if visitor.signed.is_some() {
        "/account"
    } else {
        "/sign-in"
    };
    visitor.go(page).answer()
}
