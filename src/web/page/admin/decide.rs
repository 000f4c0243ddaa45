//! A decision by the link in a mail: the page shows who waits, its button decides. The link is
//! enough; it is good for the one to whom it was mailed.

use axum::http::StatusCode;

use super::form::{Asked, Fields};
use super::view::{Choice, Person, Wrong};
use super::waiting::rejection;
use crate::account::Role;
use crate::account::act::decide::{self, Dead};
use crate::account::act::refusal::Refusal;
use crate::account::store::GroupId;
use crate::web::answer::{Answer, Fault};
use crate::web::guard::Visitor;
use crate::web::limit::Cost;

/// `GET /decide?d=`
pub async fn show(visitor: Visitor, asked: Asked) -> Answer {
    visitor.limit(Cost::Try)?;
    let link = asked.get("d");
    match decide::look(&visitor.app.office, link).await {
        Ok(offer) => {
            let office = &visitor.app.office;
            let groups = office.store.groups().await?;
            let now = office.world.now();
            visitor
                .page("admin/decide.html")
                .with(
                    "title",
                    &format!("admin.decide.title.{}", offer.decision.as_str()),
                )
                .with("login", &offer.account.login)
                .with("person", &Person::of(&offer.account, now))
                .with("by", &offer.by.login)
                .with("decision", offer.decision.as_str())
                .with("groups", &Choice::groups(&groups))
                .with("can_block", &(offer.by.role == Role::Admin))
                .with("reason", "")
                .with("d", link)
                .with("wrong", &None::<Wrong>)
                .with("outcome", &None::<()>)
                .answer()
        }
        Err(dead) => over(&visitor, dead),
    }
}

/// `POST /decide`
pub async fn decide(visitor: Visitor, fields: Fields) -> Answer {
    visitor.limit(Cost::Try)?;
    let office = &visitor.app.office;
    let link = fields.get("d");
    let offer = match decide::look(office, link).await {
        Ok(offer) => offer,
        Err(dead) => return over(&visitor, dead),
    };
    let group = fields.some("group").map(|id| GroupId(id.into()));
    let how = rejection(&fields, offer.by.role);
    match decide::decide(office, &visitor.actor(), link, group.as_ref(), &how).await {
        Ok(offer) => end(
            &visitor,
            StatusCode::OK,
            &format!("admin.decide.done.{}", offer.decision.as_str()),
            offer.account.login.as_str(),
            None,
        ),
        Err(dead) => over(&visitor, dead),
    }
}

fn over(visitor: &Visitor, dead: Dead) -> Answer {
    match dead {
        Dead::Bad => end(visitor, StatusCode::GONE, "admin.decide.bad", "", None),
        Dead::Over(Refusal::Store(error)) => Err(Fault::from(error)),
        Dead::Over(refusal) => {
            let wrong = Wrong::of(visitor, &refusal);
            end(
                visitor,
                wrong.status(),
                "admin.wrong.title",
                "",
                Some(wrong),
            )
        }
    }
}

/// A page without a form.
fn end(
    visitor: &Visitor,
    status: StatusCode,
    title: &str,
    login: &str,
    wrong: Option<Wrong>,
) -> Answer {
    visitor
        .page("admin/decide.html")
        .status(status)
        .with("title", title)
        .with("login", login)
        .with("person", &None::<Person>)
        .with("wrong", &wrong)
        .with("outcome", &None::<()>)
        .answer()
}
