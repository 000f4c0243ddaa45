//! One apply after the other, and what somebody did in between.

use std::os::unix::fs::PermissionsExt;

use jitsi_install::apply::{plan_back, rollback};
use jitsi_install::journal::Ledger;
use jitsi_install::plan::{Action, Plan, Reason, Step};

use super::stage::{Silent, Stage, without_shared};

const CONF: &str = "etc/jitsi/jicofo/jicofo.conf";

fn step<'p>(plan: &'p Plan, path: &str) -> &'p Step {
    plan.steps
        .iter()
        .find(|step| {
            step.path
                .as_ref()
                .is_some_and(|known| known.relative() == path)
        })
        .unwrap_or_else(|| panic!("no step for {path}"))
}

#[test]
fn the_second_apply_touches_nothing() {
    let stage = Stage::new();
    let first = stage.apply("[videobridge]\nwebsockets = true\n").unwrap();
    assert_eq!(first.generation, Some(1));
    let (picture, stamps) = (stage.picture(), stage.stamps());
    let second = stage.apply("[videobridge]\nwebsockets = true\n").unwrap();
    assert_eq!((second.generation, second.taken), (None, 0));
    assert_eq!(stage.picture(), picture);
    assert_eq!(
        stage.stamps(),
        stamps,
        "an inode or a time of change is another one"
    );
    assert!(!stage.plan("[videobridge]\nwebsockets = true\n").changes());
}

#[test]
fn a_plan_changes_nothing_at_all() {
    let stage = Stage::new();
    let plan = stage.plan("");
    assert!(plan.changes());
    assert!(stage.picture().is_empty());
}

#[test]
fn a_changed_wish_changes_its_files_only() {
    let stage = Stage::new();
    stage.apply("").unwrap();
    let before = stage.stamps();
    let plan = stage.plan("[jicofo]\nmemory = 2048\n");
    let changed: Vec<&str> = plan
        .steps
        .iter()
        .filter(|step| step.action == Action::Change)
        .filter_map(|step| Some(step.path.as_ref()?.relative()))
        .collect();
    assert_eq!(changed, ["etc/jitsi/jicofo/config"]);
    assert_eq!(step(&plan, changed[0]).reason, Reason::Asked);
    stage.apply("[jicofo]\nmemory = 2048\n").unwrap();
    let after = stage.stamps();
    let touched: Vec<&String> = before
        .iter()
        .filter(|(path, stamp)| after.get(*path) != Some(stamp))
        .map(|(path, _)| path)
        .filter(|path| stage.path(path).is_file())
        .collect();
    assert_eq!(touched, ["etc/jitsi/jicofo/config"]);
}

#[test]
fn an_edit_is_drift_shown_kept_and_can_be_had_back() {
    let stage = Stage::new();
    stage.apply("").unwrap();
    let mut text = std::fs::read_to_string(stage.path(CONF)).unwrap();
    text.push_str("# an administrator's own line\n");
    std::fs::write(stage.path(CONF), &text).unwrap();
    let plan = stage.plan("");
    let found = step(&plan, CONF);
    assert_eq!(
        (found.action, found.reason),
        (Action::Change, Reason::Drifted)
    );
    let shown = jitsi_install::plan::show::diffs(&plan, jitsi_install::plan::show::Paint(false));
    assert!(shown.contains("-# an administrator's own line"), "{shown}");
    stage.apply("").unwrap();
    assert!(
        !std::fs::read_to_string(stage.path(CONF))
            .unwrap()
            .contains("own line")
    );
    go_back(&stage, 1);
    assert_eq!(std::fs::read_to_string(stage.path(CONF)).unwrap(), text);
}

fn go_back(stage: &Stage, target: u32) {
    let (mut machine, reader) = (stage.machine(), stage.machine());
    let mut books = stage.books(&reader);
    let plan = plan_back(target, &machine, &books).unwrap();
    rollback(&plan, target, &mut machine, &mut books, &mut Silent).unwrap();
}

#[test]
fn what_stood_there_before_is_foreign_and_comes_back() {
    let stage = Stage::new();
    std::fs::create_dir_all(stage.path("etc/prosody")).unwrap();
    std::fs::write(
        stage.path("etc/prosody/prosody.cfg.lua"),
        "-- the distribution's\n",
    )
    .unwrap();
    std::fs::create_dir_all(stage.path("etc/nginx/sites-enabled")).unwrap();
    std::fs::write(stage.path("etc/nginx/sites-enabled/default"), "server {}\n").unwrap();
    let before = stage.picture();
    let plan = stage.plan("");
    assert_eq!(
        step(&plan, "etc/prosody/prosody.cfg.lua").reason,
        Reason::Foreign
    );
    assert_eq!(
        step(&plan, "etc/prosody").action,
        Action::Keep,
        "a shared folder is left as it is"
    );
    stage.apply("").unwrap();
    go_back(&stage, 0);
    assert_eq!(without_shared(stage.picture()), before);
}

#[test]
fn generations_lead_back_and_forth() {
    let stage = Stage::new();
    stage.apply("").unwrap();
    let one = stage.picture();
    stage.apply("[web]\nserver = \"caddy\"\n").unwrap();
    let two = stage.picture();
    assert!(
        two.contains_key("etc/caddy/Caddyfile")
            && !two.contains_key("etc/nginx/sites-available/meet.example.org.conf")
    );
    stage
        .apply("[web]\nserver = \"caddy\"\n[prosody]\nlog_level = \"debug\"\n")
        .unwrap();
    go_back(&stage, 1);
    assert_eq!(stage.picture(), one);
    assert!(
        !stage.plan("").changes(),
        "the books are those of generation 1"
    );
    go_back(&stage, 2);
    assert_eq!(stage.picture(), two);
    assert!(!stage.plan("[web]\nserver = \"caddy\"\n").changes());
}

#[test]
fn ten_generations_are_kept() {
    let stage = Stage::new();
    for memory in 1000..1014 {
        stage
            .apply(&format!("[jicofo]\nmemory = {memory}\n"))
            .unwrap();
    }
    let machine = stage.machine();
    let books = stage.books(&machine);
    let numbers: Vec<u32> = books
        .generations()
        .unwrap()
        .iter()
        .map(|generation| generation.number)
        .collect();
    assert_eq!(numbers, (5..=14).collect::<Vec<u32>>());
    assert!(
        plan_back(4, &machine, &books).is_ok(),
        "the oldest kept one can be taken back"
    );
    assert!(plan_back(3, &machine, &books).is_err());
    assert!(plan_back(15, &machine, &books).is_err());
}

#[test]
fn modes_and_vanished_files_are_mended() {
    let stage = Stage::new();
    stage.apply("").unwrap();
    let before = stage.picture();
    std::fs::set_permissions(stage.path(CONF), std::fs::Permissions::from_mode(0o666)).unwrap();
    std::fs::set_permissions(
        stage.path("etc/jitsi/videobridge"),
        std::fs::Permissions::from_mode(0o777),
    )
    .unwrap();
    std::fs::remove_file(stage.path("etc/jitsi/truststore.p12")).unwrap();
    let plan = stage.plan("");
    assert_eq!(step(&plan, CONF).remark, "mode 0666 → 0640");
    assert_eq!(
        step(&plan, "etc/jitsi/truststore.p12").reason,
        Reason::Drifted
    );
    stage.apply("").unwrap();
    let mut after = stage.picture();
    // A truststore has new salts each time; what is in it is compared elsewhere.
    let store = "etc/jitsi/truststore.p12";
    after.insert(store.to_owned(), before[store].clone());
    assert_eq!(after, before);
}

#[test]
fn links_never_lead_out_of_the_root() {
    let stage = Stage::new();
    let outside = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(stage.path("etc")).unwrap();
    // Absolute: `/` is the root of the stage, where there is no such folder.
    std::os::unix::fs::symlink(outside.path(), stage.path("etc/jitsi")).unwrap();
    let error = stage.apply("").unwrap_err().to_string();
    assert!(
        error.contains("a link stands where a folder should be"),
        "{error}"
    );
    std::fs::remove_file(stage.path("etc/jitsi")).unwrap();
    // A file that is a link is replaced, and what it points to is left alone.
    std::fs::create_dir_all(stage.path("etc/jitsi/jicofo")).unwrap();
    let victim = outside.path().join("victim");
    std::fs::write(&victim, "mine").unwrap();
    std::os::unix::fs::symlink(&victim, stage.path(CONF)).unwrap();
    stage.apply("").unwrap();
    assert_eq!(std::fs::read_to_string(&victim).unwrap(), "mine");
    assert!(stage.path(CONF).symlink_metadata().unwrap().is_file());
    assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 1);
}

#[test]
fn shared_folders_may_be_links_inside_the_root() {
    let stage = Stage::new();
    std::fs::create_dir_all(stage.path("srv/log")).unwrap();
    std::fs::create_dir_all(stage.path("var")).unwrap();
    std::os::unix::fs::symlink("/srv/log", stage.path("var/log")).unwrap();
    stage.apply("").unwrap();
    assert!(stage.path("srv/log/jitsi/jicofo").is_dir());
    assert!(!stage.plan("").changes());
}

#[test]
fn what_stands_in_the_way_is_named_before_anything_changes() {
    for (make, words) in [
        (
            "etc/jitsi/jicofo/jicofo.conf/dir",
            "a folder stands where a file should be",
        ),
        (
            "etc/nginx/sites-enabled/meet.example.org.conf/dir",
            "a folder stands where a link should be",
        ),
    ] {
        let stage = Stage::new();
        std::fs::create_dir_all(stage.path(make)).unwrap();
        let before = without_shared(stage.picture());
        let error = stage.apply("").unwrap_err().to_string();
        assert!(
            error.starts_with("nothing was changed") && error.contains(words),
            "{error}"
        );
        assert_eq!(without_shared(stage.picture()), before);
    }
    let stage = Stage::new();
    std::fs::create_dir_all(stage.path("etc")).unwrap();
    std::fs::write(stage.path("etc/jitsi"), "a file").unwrap();
    let error = stage.apply("").unwrap_err().to_string();
    assert!(error.contains("a file stands where"), "{error}");
}

#[test]
fn removal_leaves_what_others_put_there() {
    let stage = Stage::new();
    stage.apply("[web]\nserver = \"caddy\"\n").unwrap();
    std::fs::write(stage.path("var/lib/jitsi-meet/pages/mine.html"), "mine").unwrap();
    stage.apply("").unwrap();
    assert!(!stage.path("etc/caddy/Caddyfile").exists());
    assert!(stage.path("var/lib/jitsi-meet/pages/mine.html").exists());
}

#[test]
fn two_at_once_are_one_too_many() {
    let stage = Stage::new();
    let machine = stage.machine();
    let _held = stage.books(&machine);
    let error = stage.machine();
    let place = jitsi_install::name::AbsPath::fixed("/var/lib/jitsi-install");
    let Err(error) = jitsi_install::host::books::Books::locked(error.root(), place, "second")
    else {
        panic!("the lock was given twice");
    };
    assert!(
        error.why.contains("another jitsi-install is at work"),
        "{}",
        error.why
    );
    assert!(
        error.why.contains(&std::process::id().to_string()),
        "{}",
        error.why
    );
}
