//! What administrators do with accounts, and what they cannot do.
//!
//! Over 400 lines: every act on an account, one after the other.

use axum::http::{Method, StatusCode};
use jitsi_install::account::act::refusal::Refusal;
use jitsi_install::account::act::{link, reset, session, signin, users};
use jitsi_install::account::login::Login;
use jitsi_install::account::store::Purpose;
use jitsi_install::account::{Actor, Origin, Role, State};
use jitsi_install::secret::Secret;
use jitsi_install::web::guard::encoded;

use crate::house::{Answer, House};

/// The text of the field with the one-time link.
fn shown_link(page: &Answer) -> String {
    let start = "id=\"link\">";
    let at = page.text.find(start).expect("a link") + start.len();
    let rest = &page.text[at..];
    rest[..rest.find('<').unwrap()]
        .replace("&#x2F;", "/")
        .replace("&amp;", "&")
}

/// ASVS 6.4.1, 6.4.6: nobody chooses the password of somebody else; a first link expires.
#[tokio::test]
pub async fn a_new_account_gets_a_one_time_link_by_mail_or_shown_once() {
    let house = House::new().await;
    let browser = house.admin().await;
    let form = [
        ("login", "Ann.Example"),
        ("email", "ann@example.org"),
        ("language", "de"),
        ("role", "member"),
        ("how", "mail"),
    ];
    let page = house.post(&browser, "/admin/users/new", &form).await;
    let ann = house
        .office
        .store
        .account_by_login("ann.example")
        .await
        .unwrap()
        .unwrap();
    page.goes(&format!("/admin/users/{}", ann.id));
    assert_eq!((ann.state, ann.origin), (State::Active, Origin::Admin));
    let (mails, _) = house.letters().await;
    assert_eq!(mails.len(), 1);
    assert!(mails[0].text.contains("/accounts/setup?t="));

    let form = [
        ("login", "ben"),
        ("role", "approver"),
        ("language", "en"),
        ("how", "show"),
    ];
    let page = house.post(&browser, "/admin/users/new", &form).await.ok();
    let link = shown_link(&page);
    assert!(
        link.starts_with("https://meet.example.org/accounts/setup?t="),
        "{link}"
    );
    let token = link.split_once("t=").unwrap().1;
    let ben = house
        .office
        .store
        .account_by_login("ben")
        .await
        .unwrap()
        .unwrap();
    assert_eq!((ben.role, ben.email.as_deref()), (Role::Approver, None));
    let again = house
        .get(&browser, &format!("/admin/users/{}", ben.id))
        .await
        .ok();
    assert!(!again.has(token), "shown once");
    let trail = serde_json::to_string(&house.trail().await).unwrap();
    assert!(!trail.contains(token), "no link in the audit trail");
    let password = Secret::new("a long enough one to keep".to_owned());
    let actor = Actor::default();
    let set = reset::set(
        &house.office,
        &actor,
        token,
        Purpose::Setup,
        &password,
        None,
    )
    .await
    .unwrap();
    assert!(matches!(set, reset::Set::Done { .. }));
    let set = reset::set(
        &house.office,
        &actor,
        token,
        Purpose::Setup,
        &password,
        None,
    )
    .await
    .unwrap();
    assert!(!matches!(set, reset::Set::Done { .. }), "once");
}

#[tokio::test]
pub async fn what_is_wrong_with_a_new_account_is_said_and_what_was_typed_stays() {
    let house = House::new().await;
    let browser = house.admin().await;
    house.person("ann", State::Active, Role::Member).await;
    for (login, email, how, told) in [
        ("", "", "show", "cannot be used"),
        ("a b", "", "show", "cannot be used"),
        ("a@b", "", "show", "cannot be used"),
        ("focus", "", "show", "cannot be used"),
        ("ANN", "", "show", "taken"),
        ("аnn", "", "show", "taken"), // its first letter is Cyrillic
        ("ben", "no address", "show", "no e-mail address"),
        ("ben", "ANN@example.org", "show", "Another account"),
        ("ben", "", "mail", "has no e-mail address"),
    ] {
        let form = [
            ("login", login),
            ("email", email),
            ("how", how),
            ("role", "member"),
            ("language", "en"),
            ("display_name", "Kept As Typed"),
        ];
        let page = house.post(&browser, "/admin/users/new", &form).await;
        assert_eq!(
            page.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{login} {email}"
        );
        assert!(page.has(told), "{login} {email}: {told}\n{}", page.text);
        assert!(page.has("Kept As Typed"));
    }
    assert!(house.trail().await.is_empty());
}

/// ASVS 7.4.2: suspending and deleting end all sessions, links and Prosody's answer at once.
#[tokio::test]
pub async fn suspended_and_deleted_are_out_at_once() {
    let house = House::new().await;
    let browser = house.admin().await;
    let (office, actor) = (&house.office, Actor::default());
    let password = Secret::new("a long enough one to keep".to_owned());
    let keys = office.hasher.make(&password, "ann").await.unwrap();
    let ann = house
        .add("ann", State::Active, Role::Member, |new| {
            new.keys = Some(keys)
        })
        .await;
    let prosody = async || {
        signin::for_prosody(office, &actor, "ann", &password)
            .await
            .unwrap()
    };
    assert!(prosody().await);
    let hers = house.browser(&ann).await;
    let (_, link) = users::setup(office, &actor, &ann.id).await.unwrap();
    let token = link.reveal().split_once("t=").unwrap().1.to_owned();
    let path = format!("/admin/users/{}", ann.id);
    house
        .post(&browser, &format!("{path}/suspend"), &[])
        .await
        .goes(&path);
    assert!(session::list(office, &ann).await.unwrap().is_empty());
    let page = house.get(&hers, "/admin").await;
    assert!(
        page.location.starts_with("/accounts/sign-in"),
        "{}",
        page.location
    );
    assert!(!prosody().await);
    let standing = reset::look(office, &token, Purpose::Reset).await.unwrap();
    assert_eq!(standing, link::Standing::Used);
    let (mails, _) = house.letters().await;
    assert_eq!(mails.len(), 1, "she is told");

    house
        .post(&browser, &format!("{path}/resume"), &[])
        .await
        .goes(&path);
    assert_eq!(house.account(&ann.id).await.state, State::Active);

    // Deleting: two steps, the second with the name.
    let ask = house.get(&browser, &format!("{path}/delete")).await.ok();
    assert!(ask.has("Type the name ann"));
    let wrong = house
        .post(&browser, &format!("{path}/delete"), &[("login", "anna")])
        .await;
    assert_eq!(wrong.status, StatusCode::CONFLICT);
    let delete = house
        .post(&browser, &format!("{path}/delete"), &[("login", "ann")])
        .await;
    delete.goes("/admin/users");
    let gone = house.account(&ann.id).await;
    assert_eq!(
        (gone.state, gone.email, gone.display_name.as_str()),
        (State::Deleted, None, "")
    );
    assert_eq!(
        house.get(&browser, &path).await.status,
        StatusCode::NOT_FOUND
    );
    let again = Login::parse("ann").unwrap();
    let new = users::New {
        login: again.as_str(),
        display_name: "",
        email: "",
        language: "en",
        role: Role::Member,
        group: None,
        mail: false,
    };
    let refused = users::create(office, &actor, &new).await.unwrap_err();
    assert_eq!(refused, Refusal::LoginTaken, "the name stays reserved");
}

#[tokio::test]
pub async fn somebody_is_always_left_to_administrate() {
    let house = House::new().await;
    let boss = house.person("boss", State::Active, Role::Admin).await;
    let browser = house.browser(&boss).await;
    let path = format!("/admin/users/{}", boss.id);
    for (act, form) in [
        ("role", vec![("role", "member")]),
        ("suspend", vec![]),
        ("delete", vec![("login", "boss")]),
        ("second-factor", vec![]),
    ] {
        let page = house.post(&browser, &format!("{path}/{act}"), &form).await;
        assert_eq!(page.status, StatusCode::CONFLICT, "{act}");
        assert!(page.has("your own account"), "{act}");
    }
    let bulk = [("do", "suspend"), ("sure", "1"), ("id", boss.id.0.as_str())];
    let page = house.post(&browser, "/admin/users", &bulk).await.ok();
    assert!(page.has("Done for 0 of 1"), "{}", page.text);

    // From the command line it is nobody's own account, but still the last one.
    let (office, actor) = (&house.office, Actor::default());
    let last = Err(Refusal::LastAdmin);
    assert_eq!(
        users::role(office, &actor, &boss.id, Role::Approver).await,
        last
    );
    assert_eq!(users::suspend(office, &actor, &boss.id, "").await, last);
    assert_eq!(users::delete(office, &actor, &boss.id).await, last);
    house.person("idle", State::Suspended, Role::Admin).await;
    assert_eq!(
        users::delete(office, &actor, &boss.id).await,
        last,
        "suspended ones do not count"
    );

    // Two administrators who put each other out at the same moment: one stays.
    let other = house.person("other", State::Active, Role::Admin).await;
    let (a, b) = tokio::join!(
        users::role(office, &actor, &boss.id, Role::Member),
        users::role(office, &actor, &other.id, Role::Member),
    );
    assert_eq!(a.is_ok() as u8 + b.is_ok() as u8, 1, "{a:?} {b:?}");
}

/// ASVS 7.4.3 and 8.3.2: a change of role counts at once, since all sessions end.
#[tokio::test]
pub async fn a_change_of_role_ends_sessions() {
    let house = House::new().await;
    let browser = house.admin().await;
    let zoe = house.person("zoe", State::Active, Role::Admin).await;
    let hers = house.browser(&zoe).await;
    house.get(&hers, "/admin/users").await.ok();
    let path = format!("/admin/users/{}", zoe.id);
    house
        .post(&browser, &format!("{path}/role"), &[("role", "member")])
        .await
        .goes(&path);
    let page = house.get(&hers, "/admin/users").await;
    assert!(page.location.starts_with("/accounts/sign-in"));
    assert_eq!(
        house.entry("account.role").await.entry.detail,
        "admin → member"
    );
    let page = house
        .post(&browser, &format!("{path}/role"), &[("role", "owner")])
        .await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST);
}

/// ASVS 7.5.1: what gives rights, or takes an account, asks for the password again.
#[tokio::test]
pub async fn a_sign_in_of_long_ago_is_asked_for_the_password_again() {
    let house = House::new().await;
    let browser = house.admin().await;
    let ann = house.person("ann", State::Active, Role::Member).await;
    house.later(11 * 60);
    let path = format!("/admin/users/{}", ann.id);
    for (act, form, back) in [
        ("/role", vec![("role", "admin")], path.clone()),
        (
            "",
            vec![("email", "x@example.org"), ("language", "en")],
            path.clone(),
        ),
        ("/setup", vec![], path.clone()),
        ("/second-factor", vec![], path.clone()),
        ("/delete", vec![("login", "ann")], format!("{path}/delete")),
    ] {
        let page = house.post(&browser, &format!("{path}{act}"), &form).await;
        page.goes(&format!(
            "/again?next={}",
            encoded(&format!("/accounts{back}"))
        ));
    }
    assert!(house.trail().await.is_empty());
    let edit = [
        ("display_name", "Ann"),
        ("email", "ann@example.org"),
        ("language", "en"),
    ];
    house.post(&browser, &path, &edit).await.goes(&path);
}

/// Of many buttons each says whom it is about, and a link keeps the signs of a name.
#[tokio::test]
async fn buttons_say_whom_and_links_keep_every_sign() {
    let house = House::new().await;
    let browser = house.admin().await;
    let odd = house.person("a+b#c", State::Active, Role::Member).await;
    let page = house
        .get(&browser, &format!("/admin/users/{}", odd.id))
        .await;
    assert!(page.has("target=a%2Bb%23c\""), "{}", page.text);
    house.person("ben", State::Pending, Role::Member).await;
    let page = house.get(&browser, "/admin/waiting").await;
    assert!(page.has("aria-label=\"Approve ben\""), "{}", page.text);
}

/// A reason goes into a mail and stays in the audit trail: a page of text is none.
#[tokio::test]
async fn a_reason_to_suspend_has_an_end() {
    let house = House::new().await;
    let browser = house.admin().await;
    let ann = house.person("ann", State::Active, Role::Member).await;
    let path = format!("/admin/users/{}/suspend", ann.id);
    let reason = "x".repeat(501);
    let page = house.post(&browser, &path, &[("reason", &reason)]).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(house.account(&ann.id).await.state, State::Active);
    let form = [("reason", &reason[1..])];
    house.post(&browser, &path, &form).await;
    assert_eq!(house.account(&ann.id).await.state, State::Suspended);
}

#[tokio::test]
pub async fn an_edit_names_old_and_new_and_ends_links_to_the_old_address() {
    let house = House::new().await;
    let browser = house.admin().await;
    let ann = house.person("ann", State::Active, Role::Member).await;
    let path = format!("/admin/users/{}", ann.id);
    house
        .post(&browser, &format!("{path}/reset"), &[])
        .await
        .goes(&path);
    let (mails, _) = house.letters().await;
    let at = mails[0].text.find("/reset?t=").unwrap() + 9;
    let token = &mails[0].text[at..at + 43];
    let edit = [
        ("display_name", "Ann"),
        ("email", "new@example.org"),
        ("language", "fr"),
    ];
    house.post(&browser, &path, &edit).await.goes(&path);
    let detail = house.entry("account.changed").await.entry.detail;
    assert_eq!(
        detail,
        "display_name:  → Ann\nlanguage: en → fr\nemail: ann@example.org → new@example.org"
    );
    let standing = reset::look(&house.office, token, Purpose::Reset)
        .await
        .unwrap();
    assert_eq!(standing, link::Standing::Used);
    let (mails, _) = house.letters().await;
    assert_eq!(mails.len(), 1, "the old address is told (ASVS 6.3.7)");
    assert_eq!(mails[0].recipient, "ann@example.org");
    assert!(
        !mails[0].text.contains("email-change?t="),
        "and cannot take it back"
    );
    house.person("ben", State::Active, Role::Member).await;
    let edit = [
        ("display_name", "x"),
        ("email", "Ben@Example.org"),
        ("language", "fr"),
    ];
    let page = house.post(&browser, &path, &edit).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.has("Another account has this address"));
    assert!(page.has("Ben@Example.org"), "what was typed stays");
    assert_eq!(
        house.account(&ann.id).await.display_name,
        "Ann",
        "nothing is half changed"
    );
}

/// ASVS 6.5.6, 7.4.5: factors can be revoked and sessions ended by administrators, and both are
/// written down; ASVS 3.5.3: no GET does any of it.
#[tokio::test]
pub async fn no_page_that_is_looked_at_changes_anything() {
    let house = House::new().await;
    let browser = house.admin().await;
    let ann = house.person("ann", State::Pending, Role::Member).await;
    for row in jitsi_install::web::table() {
        if row.method == Method::POST && row.path.starts_with("/admin") {
            let path = row.path.replace("{id}", &ann.id.0);
            house.get(&browser, &path).await;
        }
    }
    assert!(house.trail().await.is_empty());
    assert_eq!(house.account(&ann.id).await, ann);
}
