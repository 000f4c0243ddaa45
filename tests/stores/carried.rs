//! Data that leaves a database and comes into another: exports between kinds, copies of SQLite.
//!
//! Over 400 lines: each way out of a database stands with the ways back in.

use std::fs::OpenOptions;
use std::io::Cursor;
use std::os::unix::fs::OpenOptionsExt as _;

use jitsi_install::account::audit::Entry;
use jitsi_install::account::store::{
    Error, Group, GroupId, Invite, Letter, NewSession, NewToken, Note, Purpose, Setting, Store,
    UserFilter, UserList, What,
};
use jitsi_install::account::{Actor, State};
use jitsi_install::secret::Secret;

use crate::databases::{Database, KINDS};
use crate::rooms::{NOW, Toy, add, everywhere, person, runtime};

/// What somebody may type where any text is taken.
const ANY: &str = "Robert'); DROP TABLE accounts; -- \\ \" ${x} {{ y }} <b>\nsecond line 🦊 漢字";

/// Something in every table.
pub async fn furnish(store: &Store) {
    let world = Toy::world();
    let (mut ann, mut ben) = (person("ann"), person("ben"));
    ann.display_name = "Ann \"O'Neil\" \\ 漢字 🦊".into();
    ben.state = State::Pending;
    ben.email = None;
    ben.reason = ANY.into();
    // Two who claim an address that nobody has confirmed.
    let claims = ["claire", "clara"].map(|login| {
        let mut new = person(login);
        new.state = State::Unconfirmed;
        new.email = Some("claimed@example.org".into());
        new
    });
    add(store, &claims).await;
    add(store, &[ann.clone(), ben.clone(), person("gone")]).await;
    let work = store.begin().await.unwrap();
    work.erase(&person("gone").id, State::Active, NOW)
        .await
        .unwrap();
    work.set_totp(&ann.id, &Secret::new("sealed".into()), 5)
        .await
        .unwrap();
    work.set_recovery_codes(&ann.id, &["c1".into(), "c2".into()], NOW)
        .await
        .unwrap();
    work.use_recovery_code(&ann.id, "c1", NOW + 1)
        .await
        .unwrap();
    let group = Group {
        id: GroupId("g1".into()),
        name: "Staff".into(),
        description: ANY.into(),
        created: NOW,
    };
    work.add_group(&group).await.unwrap();
    work.join_group(&ann.id, &group.id).await.unwrap();
    let token = NewToken {
        hash: "t1",
        purpose: Purpose::Reset,
        account: &ann.id,
        data: "x",
        created: NOW,
        expires: NOW + 60,
    };
    work.add_token(&token).await.unwrap();
    let session = NewSession {
        hash: "s1",
        account: &ann.id,
        created: NOW,
        expires: NOW + 60,
        second_factor: true,
        address: "192.0.2.1",
        agent: "Firefox",
    };
    work.add_session(&session).await.unwrap();
    let invite = Invite {
        hash: "i1".into(),
        label: "Friends".into(),
        group: Some(group.id.clone()),
        uses_left: 3,
        created: NOW,
        expires: NOW + 60,
        created_by: Some(ann.id.clone()),
    };
    work.add_invite(&invite).await.unwrap();
    let note = Note {
        id: world.id(),
        account: ben.id.clone(),
        author: "ann".into(),
        at: NOW,
        text: ANY.into(),
    };
    work.add_note(&note).await.unwrap();
    work.append(
        &*world,
        &Actor::default(),
        &Entry::new("signup.asked", None, "done").detail(ANY),
    )
    .await
    .unwrap();
    work.queue(&Letter {
        id: "m1",
        what: What::Mail,
        recipient: "ann@example.org",
        body: "sealed mail",
        now: NOW,
    })
    .await
    .unwrap();
    work.set_setting(&Setting {
        name: "registration".into(),
        value: "{}".into(),
        changed: NOW,
        changed_by: "ann".into(),
    })
    .await
    .unwrap();
    work.commit().await.unwrap();
    store.count("signin ann", NOW, 600).await.unwrap();
}

async fn exported(store: &Store) -> String {
    let mut out = Vec::new();
    store.export(&mut out).await.unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn an_export_is_the_same_after_every_journey() {
    let databases: Vec<Database> = KINDS.into_iter().filter_map(Database::fresh).collect();
    let targets: Vec<Vec<Database>> = databases
        .iter()
        .map(|_| KINDS.into_iter().filter_map(Database::fresh).collect())
        .collect();
    runtime().block_on(async {
        for (from, targets) in databases.iter().zip(&targets) {
            let store = from.connect().await;
            furnish(&store).await;
            let text = exported(&store).await;
            for table in [
                "accounts",
                "account_groups",
                "memberships",
                "tokens",
                "sessions",
                "recovery_codes",
                "invites",
                "notes",
                "audit",
                "outbox",
                "limits",
                "settings",
            ] {
                assert!(text.contains(&format!("\"table\":\"{table}\"")), "{table}");
            }
            let checked = Store::check_export(&mut Cursor::new(&text)).unwrap();
            for to in targets {
                let (from, kind) = (from.kind.name(), to.kind.name());
                let other = to.connect().await;
                let restored = other.restore(&mut Cursor::new(&text)).await.unwrap();
                assert_eq!(restored, checked);
                assert_eq!(exported(&other).await, text, "from {from} to {kind}");
                // Who only claimed an address does so still.
                let claim = person("clara").id;
                assert!(other.only_claims_email(&claim).await.unwrap(), "{kind}");
                let owner = other.account_by_email("claimed@example.org").await;
                assert_eq!(owner.unwrap(), None, "from {from} to {kind}");
                let ann = other.sign_in_by_login("ann").await.unwrap().unwrap();
                assert_eq!(Some(ann), store.sign_in_by_login("ann").await.unwrap());
                let filter = UserFilter {
                    text: "o'ne".into(),
                    second_factor: Some(true),
                    ..UserFilter::default()
                };
                let list = UserList {
                    filter,
                    rows: 10,
                    ..UserList::default()
                };
                assert_eq!(
                    other.users(&list).await.unwrap().rows.len(),
                    1,
                    "from {from} to {kind}"
                );
                let again = other.restore(&mut Cursor::new(&text)).await.unwrap_err();
                assert!(again.to_string().contains("are not empty"), "{again}");
            }
        }
    });
}

#[test]
fn a_large_export_comes_back_in_pieces() {
    everywhere(|database| async move {
        let store = database.connect().await;
        let people: Vec<_> = (0..1205)
            .map(|number| person(&format!("p{number}")))
            .collect();
        let work = store.begin().await.unwrap();
        work.add_accounts(&people).await.unwrap();
        work.commit().await.unwrap();
        let text = exported(&store).await;
        assert_eq!(text.lines().count(), 1207);
        let other = Database::fresh(database.kind).unwrap();
        let other = other.connect().await;
        other.restore(&mut Cursor::new(&text)).await.unwrap();
        assert_eq!(exported(&other).await, text);
    });
}

/// Every way to spoil an export is refused, by the dry run as by the restore, with the line; and
/// nothing of it is left.
#[test]
fn a_spoiled_export_leaves_nothing() {
    everywhere(|database| async move {
        let store = database.connect().await;
        furnish(&store).await;
        let text = exported(&store).await;
        let lines: Vec<&str> = text.lines().collect();
        let joined = |lines: &[&str]| lines.join("\n") + "\n";
        let line = |word: &str| {
            lines
                .iter()
                .find(|line| line.contains(word))
                .unwrap()
                .to_string()
        };
        let with = |old: &str, new: &str| text.replacen(old, new, 1);
        let line_with = |word: &str, old: &str, new: &str| {
            text.replacen(&line(word), &line(word).replacen(old, new, 1), 1)
        };
        let twice = line("\"login\":\"ann\"").replace("id-ann", "id-else");
        let spoiled = [
            (joined(&lines[..lines.len() - 1]), "cut off"),
            (joined(&lines[1..]), "does not begin"),
            (text.replacen("\"schema\":1", "\"schema\":9", 1), "schema"),
            (
                text.replacen("\"state\":\"pending\"", "\"state\":\"king\"", 1),
                "unknown",
            ),
            (
                text.replacen("\"login_skeleton\"", "\"password_hint\"", 1),
                "lacks",
            ),
            (
                text.replacen("\"created\":", "\"created\":\"x\"+", 1),
                "no JSON object",
            ),
            (
                text.replacen(&format!("\"created\":{NOW}"), "\"created\":\"soon\"", 1),
                "another kind",
            ),
            (
                text.replacen("\"table\":\"tokens\"", "\"table\":\"toads\"", 1),
                "no table",
            ),
            (
                text.replacen("\"account\":\"id-ann\"", "\"account\":\"id-eve\"", 1),
                "not there",
            ),
            (
                text.replacen(&line("\"login\":\"ben\""), &twice, 1),
                "before",
            ),
            (text.clone() + &text, "goes on"),
            (
                text.replacen(
                    "\"recipient\":\"ann@",
                    &format!("\"recipient\":\"{}", "a".repeat(300)),
                    1,
                ),
                "too long",
            ),
            (text.replacen("Friends", "a\\u0000b", 1), "another kind"),
            (with("\"login\":\"ann\"", "\"login\":\"Ann\""), "canonical"),
            (with("\"login\":\"ann\"", "\"login\":\"a b\""), "`login`"),
            (with("\"login\":\"ann\"", "\"login\":\"a/b\""), "`login`"),
            (with("\"login\":\"ann\"", "\"login\":\"focus\""), "reserved"),
            (with("\"login\":\"gone\"", "\"login\":\"\""), "empty"),
            (
                with("\"ann@Example.org\"", "\"ann@Example.org\\nBcc: x@y\""),
                "`email`",
            ),
            (
                with("\"email_key\":\"ann@", "\"email_key\":\"eve@"),
                "not that of",
            ),
            (
                with("claire Person", "claire\\u202e Person"),
                "`display_name`",
            ),
            (with("$argon2id$v=19$", "md5$v=19$"), "not taken over"),
            (with("m=19456,", "m=4194304,"), "costs too much"),
            (with("\"10000$c2FsdA==$", "\"10000$$"), "spoiled"),
            (
                with("\"purpose\":\"reset\"", "\"purpose\":\"king\""),
                "unknown",
            ),
            (with("\"kind\":\"mail\"", "\"kind\":\"pigeon\""), "unknown"),
            (
                with("\"recipient\":\"ann@", "\"recipient\":\"ann\\r\\nBcc: ben@"),
                "`recipient`",
            ),
            (with("\"192.0.2.1\"", "\"<b>\""), "`address`"),
            (with("\"value\":\"{}\"", "\"value\":\"{]\""), "no policy"),
            (
                with("\"name\":\"registration\"", "\"name\":\"other\""),
                "unknown",
            ),
            (
                with(&format!("\"state_since\":{NOW}"), "\"state_since\":-1"),
                "out of bounds",
            ),
            (
                with(
                    &format!("\"expires\":{}", NOW + 60),
                    "\"expires\":9223372036854775807",
                ),
                "out of bounds",
            ),
            (
                line_with(
                    "\"login\":\"gone\"",
                    "\"password\":\"\"",
                    "\"password\":\"x\"",
                ),
                "is deleted",
            ),
            ("\u{0}\u{1}garbage".to_owned(), "no JSON object"),
            (String::new(), "does not begin"),
        ];
        let other = Database::fresh(database.kind).unwrap();
        let other = other.connect().await;
        let empty = exported(&other).await;
        for (spoiled, why) in spoiled {
            assert_ne!(spoiled, text, "{why}");
            let dry = Store::check_export(&mut Cursor::new(&spoiled)).unwrap_err();
            let real = other.restore(&mut Cursor::new(&spoiled)).await.unwrap_err();
            assert_eq!(dry, real);
            assert!(
                dry.to_string().contains(why) && dry.to_string().contains("(line "),
                "{why}: {dry}"
            );
            assert!(!dry.to_string().contains("argon2"), "{dry}");
            assert_eq!(exported(&other).await, empty, "{why}");
        }
        other.restore(&mut Cursor::new(&text)).await.unwrap();
    });
}

/// What a name looks like is not believed: it follows from the name.
#[test]
fn looks_are_made_anew() {
    everywhere(|database| async move {
        let store = database.connect().await;
        add(&store, &[person("paypal"), person("ann")]).await;
        let text = exported(&store).await;
        let wrong = text.replacen(
            "\"login_skeleton\":\"paypal\"",
            "\"login_skeleton\":\"x\"",
            1,
        );
        assert_ne!(wrong, text);
        let other = Database::fresh(database.kind).unwrap();
        let other = other.connect().await;
        other.restore(&mut Cursor::new(&wrong)).await.unwrap();
        assert_eq!(exported(&other).await, text);
        // Two that look alike both come; a third can have neither look.
        let alike = text.replacen("\"login\":\"ann\"", "\"login\":\"раураl\"", 1);
        assert_ne!(alike, text);
        let other = Database::fresh(database.kind).unwrap();
        let other = other.connect().await;
        other.restore(&mut Cursor::new(&alike)).await.unwrap();
        let found = other.account_by_skeleton("paypal").await.unwrap().unwrap();
        let second = other.account_by_login("раураl").await.unwrap().unwrap();
        let own = other.account_by_skeleton(" раураl").await.unwrap();
        assert!([&found.login, &second.login].contains(&&second.login));
        assert_eq!(own.is_some(), found != second);
    });
}

#[test]
fn sqlite_is_copied_while_people_write() {
    let database = Database::fresh(jitsi_install::account::store::Kind::Sqlite).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("copy.sqlite");
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&file)
        .unwrap();
    runtime().block_on(async {
        let store = database.connect().await;
        furnish(&store).await;
        let writer = {
            let store = store.clone();
            tokio::spawn(async move {
                for number in 0..200 {
                    add(&store, &[person(&format!("w{number}"))]).await;
                }
            })
        };
        store.copy_into(file.to_str().unwrap()).await.unwrap();
        writer.await.unwrap();
        let mode = std::os::unix::fs::PermissionsExt::mode(
            &std::fs::metadata(&file).unwrap().permissions(),
        );
        assert_eq!(mode & 0o777, 0o600);
        let copy = Store::connect(&format!("sqlite:{}", file.display()), None)
            .await
            .unwrap();
        assert!(copy.account_by_login("ann").await.unwrap().is_some());
        let again = store.copy_into(file.to_str().unwrap()).await.unwrap_err();
        assert!(matches!(again, Error::Other { .. }), "{again:?}");
    });
}
