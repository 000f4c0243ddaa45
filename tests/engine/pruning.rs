//! Ten thousand generations, of which ten are kept.

use std::time::{Duration, Instant};

use super::kill::{command, is_somewhere, said, write_site};
use super::stage::Stage;

const MANY: u32 = 10_000;

/// Generations after the first, as an older version without an end to them would have left.
fn many_generations(stage: &Stage) -> std::path::PathBuf {
    let folder = stage.path("var/lib/jitsi-install/generations");
    let first = folder.join("0001");
    let text = std::fs::read_to_string(first.join("applied.json")).unwrap();
    let mut finished: serde_json::Value = serde_json::from_str(&text).unwrap();
    let applied = finished["applied"].take();
    finished["applied"] = serde_json::json!({});
    for number in 2..=MANY {
        let place = folder.join(format!("{number:04}"));
        std::fs::create_dir(&place).unwrap();
        std::fs::write(place.join("journal"), "").unwrap();
        if number == MANY {
            finished["applied"].clone_from(&applied);
        }
        finished["generation"]["number"] = number.into();
        std::fs::write(place.join("applied.json"), finished.to_string()).unwrap();
    }
    folder
}

fn numbers(folder: &std::path::Path) -> Vec<u32> {
    let names = std::fs::read_dir(folder).unwrap();
    let mut numbers: Vec<u32> = names
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .map(|name| name.parse().unwrap_or_else(|_| panic!("{name} is left")))
        .collect();
    numbers.sort_unstable();
    numbers
}

#[test]
fn ten_thousand_generations_become_ten() {
    let stage = Stage::quick();
    write_site(&stage, "");
    assert!(command(&stage, "apply").status().unwrap().success());
    let folder = many_generations(&stage);
    let conf = stage.path("etc/jitsi/jicofo/jicofo.conf");
    std::fs::write(&conf, "# mine\n").unwrap();

    // Killed in the middle of it, the generation itself stands.
    write_site(&stage, "[jicofo]\nmemory = 2048\n");
    let mut child = command(&stage, "apply").spawn().unwrap();
    let last = folder.join(format!("{}/applied.json", MANY + 1));
    let until = Instant::now() + Duration::from_secs(20);
    while !last.exists() || folder.join("0200").exists() {
        assert!(Instant::now() < until, "it does not come to that");
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let after = stage.picture();
    let count = std::fs::read_dir(&folder).unwrap().count();
    assert!(count > 1000, "{count} were left when it was killed");
    let (code, err) = said(&stage, "apply");
    assert_eq!(code, Some(0), "{err}");
    assert!(err.contains("everything is in order"), "{err}");
    assert_eq!(stage.picture(), after);

    write_site(&stage, "[jicofo]\nmemory = 2049\n");
    let begun = Instant::now();
    assert!(command(&stage, "apply").status().unwrap().success());
    let seconds = begun.elapsed().as_secs();
    eprintln!("{count} generations were pruned in {seconds} s");
    assert!(seconds < 30, "each takes longer the more there are");
    assert_eq!(numbers(&folder), (MANY - 7..=MANY + 2).collect::<Vec<_>>());
    assert!(is_somewhere(&stage, "# mine\n"), "the edit is lost");
    let (code, err) = said(&stage, "rollback");
    assert_eq!(code, Some(0), "{err}");
    write_site(&stage, "[jicofo]\nmemory = 2048\n");
    assert_eq!(stage.picture(), after);
}
