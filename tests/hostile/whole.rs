//! Files that are no site files: whatever they are, an answer with lines inside the file.

use jitsi_install::site;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::proving::examples;
use crate::values::hostile;

/// Parses; what is wrong must name a line of the file and say something on one line.
fn judged(text: &str) {
    let lines = 1 + text.matches('\n').count();
    if let Err(error) = site::parse(text) {
        assert!(!error.problems.is_empty());
        for problem in &error.problems {
            assert!(
                (1..=lines).contains(&problem.line),
                "{problem:?} of {lines} lines"
            );
            assert!(!problem.what.contains(char::is_control), "{problem:?}");
            let hint = problem.hint.as_deref().unwrap_or_default();
            assert!(!hint.contains(char::is_control), "{problem:?}");
        }
    }
}

fn boundary(text: &str, at: &Index) -> usize {
    let mut at = at.index(text.len() + 1);
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_are_refused_or_a_site(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        judged(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn random_lines_are_refused_or_a_site(lines in prop::collection::vec("[ -~\u{80}-\u{ff}]{0,30}|\\[[a-z.]{0,12}\\]|[a-z_.]{1,12} = (\"[^\"]{0,9}\"|[0-9-]{1,9}|true|\\[\\])", 0..12)) {
        judged(&lines.join("\n"));
    }

    #[test]
    fn mutated_examples_are_refused_or_sites(
        which in any::<Index>(),
        cuts in prop::collection::vec((any::<Index>(), any::<Index>(), prop::sample::select(hostile()), any::<bool>()), 1..4),
    ) {
        let examples = examples();
        let mut text = which.get(&examples).1.clone();
        for (start, length, piece, is_swap) in &cuts {
            let start = boundary(&text, start);
            let mut end = (start + length.index(20)).min(text.len());
            while !text.is_char_boundary(end) {
                end += 1;
            }
            if *is_swap {
                text.replace_range(start..end, piece);
            } else {
                text.replace_range(start..end, "");
            }
        }
        judged(&text);
    }
}

#[test]
fn depth_and_size_do_not_overflow_the_stack() {
    let start = "schema = 1\ndomain = \"a.example\"\n[meet.config]\n";
    for depth in [50, 2_000, 10_000] {
        for text in [
            format!("{start}x = {}1{}", "[".repeat(depth), "]".repeat(depth)),
            format!(
                "{start}x = {}1{}",
                "{ a = ".repeat(depth),
                " }".repeat(depth)
            ),
            format!("{start}{}x = 1", "a.".repeat(depth)),
            format!("{start}[meet.config.{}x]\ny = 1", "a.".repeat(depth)),
            format!("{start}x = {}", "[".repeat(depth)),
            format!("{start}x = \"{}\"", "x".repeat(depth)),
        ] {
            judged(&text);
        }
    }
    let many: String = (0..2_000).map(|n| format!("key{n} = {n}\n")).collect();
    judged(&format!("{start}{many}"));
    judged(&many);
}

#[test]
fn a_nul_is_refused_at_its_line() {
    let error = site::parse("schema = 1\ndomain = \"a\u{0}b\"\n").unwrap_err();
    assert_eq!(error.problems[0].line, 2);
    assert_eq!(error.problems[0].what, "the file has a NUL character");
}
