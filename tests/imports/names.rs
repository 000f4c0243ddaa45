//! Names as the real Prosody prepares them: what we make of a name, it leaves as it is, and what
//! both take, both take to the same.

use std::io::Write as _;
use std::process::{Command, Stdio};

use jitsi_install::account::login::Login;
use jitsi_install::account::password::scram;

use crate::skip;

/// Prosody's own answers, one for each text; `None` where it refuses.
fn prosody(profile: &str, texts: &[String]) -> Option<Vec<Option<String>>> {
    let program = format!(
        "package.path='/usr/lib/prosody/?.lua;'..package.path package.cpath='/usr/lib/prosody/?.so;'..package.cpath \
         local f=require'util.encodings'.stringprep.{profile} \
         for line in io.lines() do local text=line:gsub('%x%x',function(x) return string.char(tonumber(x,16)) end) \
         local out=f(text) print(out and 'y'..out:gsub('.',function(c) return ('%02x'):format(c:byte()) end) or 'n') end"
    );
    let started = Command::new("lua5.4")
        .args(["-e", &program])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut lua) = started else {
        skip("names as Prosody prepares them", "lua5.4 is missing");
        return None;
    };
    let lines: String = texts
        .iter()
        .map(|text| text.bytes().map(|b| format!("{b:02x}")).collect::<String>() + "\n")
        .collect();
    let mut stdin = lua.stdin.take().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(lines.as_bytes()));
    let output = lua.wait_with_output().unwrap();
    let _ = writer.join();
    if !output.status.success() {
        skip(
            "names as Prosody prepares them",
            "its Lua modules are missing",
        );
        return None;
    }
    let answer = |line: &str| {
        let digits = line.strip_prefix('y')?.as_bytes();
        let bytes = digits
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap());
        Some(String::from_utf8(bytes.collect()).unwrap())
    };
    let answers: Vec<_> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(answer)
        .collect();
    assert_eq!(answers.len(), texts.len());
    Some(answers)
}

/// Every character alone, between two letters, and doubled; and words of several scripts.
fn corpus() -> Vec<String> {
    let words = [
        "Ann",
        "ΣΊΣΥΦΟΣ",
        "straße",
        "İstanbul",
        "ﬁne",
        "Ⅷ",
        "ｆｕｌｌ",
        "שלום",
        "مرحبا",
        "e\u{301}\u{323}",
        "①",
    ];
    let all = (1..0x3_0000u32).filter_map(char::from_u32);
    all.flat_map(|c| [c.to_string(), format!("a{c}b")])
        .chain(words.map(String::from))
        .filter(|text| !text.contains(['\n', '\r', '\0']))
        .collect()
}

#[test]
fn nodeprep_is_prosodys() {
    let texts = corpus();
    let Some(theirs) = prosody("nodeprep", &texts) else {
        return;
    };
    let ours: Vec<_> = texts
        .iter()
        .map(|text| Login::parse_known(text).ok())
        .collect();
    let mut taken = 0;
    for ((text, ours), theirs) in texts.iter().zip(&ours).zip(&theirs) {
        if let Some(ours) = ours {
            taken += 1;
            assert_eq!(theirs.as_deref(), Some(ours.as_str()), "{text:?}");
        }
    }
    assert!(taken > 100_000, "{taken}");
    // And what we made of it, it leaves as it is.
    let made: Vec<String> = ours
        .into_iter()
        .flatten()
        .map(|l| l.as_str().to_owned())
        .collect();
    let again = prosody("nodeprep", &made).unwrap();
    for (made, again) in made.iter().zip(again) {
        assert_eq!(again.as_ref(), Some(made));
    }
}

#[test]
fn saslprep_is_prosodys() {
    let texts = corpus();
    let Some(theirs) = prosody("saslprep", &texts) else {
        return;
    };
    let mut differ = Vec::new();
    for (text, theirs) in texts.iter().zip(theirs) {
        let ours = scram::prepare(text).map(|text| text.into_owned());
        // Prosody's library looks for text from right to left by a newer Unicode.
        let newer = text.chars().any(stringprep::tables::unassigned_code_point);
        if ours != theirs && !(newer && theirs.is_none()) {
            differ.push((text.clone(), ours, theirs));
        }
    }
    let first = &differ[..differ.len().min(40)];
    assert!(differ.is_empty(), "{} differ: {first:?}", differ.len());
}
