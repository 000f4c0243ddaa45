//! One apply after the other, and what somebody did in between.
//!
//! Over 400 lines: short cases of one kind, each from one apply to the next.

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
    let shown =
        jitsi_install::plan::show::diffs(&plan, jitsi_install::command::terminal::Paint(false));
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

const KEEP: &str = "keep = [\"/etc/jitsi/jicofo/jicofo.conf\", \"/etc/nowhere\"]\n";

#[test]
fn what_is_kept_is_left_alone_and_never_removed() {
    let stage = Stage::new();
    stage.apply("").unwrap();
    std::fs::write(stage.path(CONF), "mine\n").unwrap();
    let plan = stage.plan(KEEP);
    assert_eq!(step(&plan, CONF).action, Action::Keep);
    assert!(
        plan.remarks
            .iter()
            .any(|remark| remark.contains("`/etc/nowhere`, where this site puts nothing"))
    );
    stage.apply(KEEP).unwrap();
    assert_eq!(std::fs::read_to_string(stage.path(CONF)).unwrap(), "mine\n");
    uninstall(&stage);
    assert_eq!(std::fs::read_to_string(stage.path(CONF)).unwrap(), "mine\n");
}

#[test]
fn edits_outlive_ten_generations_as_numbered_backups() {
    let stage = Stage::new();
    stage.apply("").unwrap();
    for text in ["first edit\n", "second edit\n", "second edit\n"] {
        std::fs::write(stage.path(CONF), text).unwrap();
        stage.apply("").unwrap();
    }
    for memory in 2000..2012 {
        stage
            .apply(&format!("[jicofo]\nmemory = {memory}\n"))
            .unwrap();
    }
    let backup = |number: u32| {
        std::fs::read_to_string(
            stage.path(&format!("var/lib/jitsi-install/backups/{CONF}.~{number}~")),
        )
    };
    assert_eq!(backup(1).unwrap(), "first edit\n");
    assert_eq!(backup(2).unwrap(), "second edit\n");
    assert!(backup(3).is_err(), "the same edit is kept once");
}

fn uninstall(stage: &Stage) {
    let (mut machine, reader) = (stage.machine(), stage.machine());
    let mut books = stage.books(&reader);
    let nothing = jitsi_install::resource::Layout::default();
    let plan = jitsi_install::plan::plan(&nothing, &machine, &books.applied().unwrap());
    jitsi_install::apply::apply(&plan, "uninstall", &mut machine, &mut books, &mut Silent).unwrap();
}

#[test]
fn an_uninstall_leaves_the_machine_as_it_was_found() {
    let stage = Stage::new();
    // A distribution's tree, with a file, a link and a folder at places of ours, one file already
    // as we would write it, and one with other rights.
    for folder in [
        "etc/prosody/conf.d",
        "etc/nginx/sites-enabled",
        "etc/nginx/sites-available",
        "etc/jitsi/meet",
        "usr/local/share/lua/5.4",
    ] {
        std::fs::create_dir_all(stage.path(folder)).unwrap();
    }
    std::fs::write(
        stage.path("etc/prosody/prosody.cfg.lua"),
        "-- the distribution's\n",
    )
    .unwrap();
    std::fs::set_permissions(
        stage.path("etc/prosody/prosody.cfg.lua"),
        std::fs::Permissions::from_mode(0o604),
    )
    .unwrap();
    std::os::unix::fs::symlink(
        "/usr/share/lua/5.2/basexx.lua",
        stage.path("usr/local/share/lua/5.4/basexx.lua"),
    )
    .unwrap();
    std::os::unix::fs::symlink(
        "elsewhere",
        stage.path("etc/nginx/sites-enabled/meet.example.org.conf"),
    )
    .unwrap();
    std::fs::set_permissions(
        stage.path("etc/jitsi/meet"),
        std::fs::Permissions::from_mode(0o700),
    )
    .unwrap();
    std::fs::create_dir_all(stage.path("etc/sysctl.d")).unwrap();
    let buffers = "etc/sysctl.d/20-jvb-udp-buffers.conf";
    let other = Stage::new();
    other.apply("").unwrap();
    std::fs::copy(other.path(buffers), stage.path(buffers)).unwrap();
    let before = stage.picture();

    stage.apply("").unwrap();
    // More generations than are kept: the originals outlive them.
    for memory in 2000..2012 {
        stage
            .apply(&format!("[jicofo]\nmemory = {memory}\n"))
            .unwrap();
    }
    stage.apply("[web]\nserver = \"caddy\"\n").unwrap();
    std::fs::write(stage.path("var/log/jitsi/jicofo/jicofo.log"), "a log\n").unwrap();
    uninstall(&stage);
    let mut after = without_shared(stage.picture());
    let log = after.remove("var/log/jitsi/jicofo/jicofo.log");
    assert!(log.is_some(), "data is kept");
    for folder in ["var/log/jitsi/jicofo", "var/log/jitsi", "var/log"] {
        after.remove(folder);
    }
    assert_eq!(after, before);
}
