//! Signing in.

use crate::web::answer::Answer;
use crate::web::guard::Visitor;

/// `GET /sign-in`
pub async fn show(visitor: Visitor) -> Answer {
    visitor.page("public/sign-in.html").answer()
}
