//! What is done with bytes of chance: one body for each reader of what others wrote. Each says
//! what must hold besides that nothing breaks.

use jitsi_install::account::import::{csv, ldif, lua, prosody};
use jitsi_install::account::login::Login;
use jitsi_install::account::password::form::Form;
use jitsi_install::account::password::scram;
use jitsi_install::account::settings::Settings;
use jitsi_install::account::totp;

/// A name, and what reads bytes.
pub type Body = (&'static str, fn(&[u8]));

/// Every body by the name of its target.
pub const ALL: &[Body] = &[
    ("lua_table", lua_table),
    ("prosody_file", prosody_file),
    ("csv_list", csv_list),
    ("ldif_file", ldif_file),
    ("password_hash", password_hash),
    ("login_name", login_name),
    ("password_text", password_text),
    ("accounts_toml", accounts_toml),
];

/// What is right, to begin from.
pub const SEEDS: &[&str] = &[
    "return {\n\t[\"salt\"] = \"7ef5\\\"\\\n\\195\\188\";\n\t[\"iteration_count\"] = 10000;\n\t[\"a\"] = { 1, x = (1/0); [[y]] };\n};\n",
    "return { [\"stored_key\"] = \"0f6e469b7e304ffb15a1baacc146887b6d2360b1\"; [\"salt\"] = \"s\"; [\"server_key\"] = \"59c8521ca0403a58cf4f66bab346c732232426f8\"; [\"iteration_count\"] = 4096; }",
    "login;email;name\r\nann;ann@example.org;\"Ann \"\"A\"\"\r\nB\"\r\nben;;\r\n",
    "version: 1\n\ndn: uid=ann,dc=example,dc=org\nobjectClass: inetOrgPerson\nuid: ann\ncn:: w4RubiBC\nmail: ann@ex\n ample.org\nuserPassword:: e1NTSEF9QUJD\nmemberOf: cn=a\\,b,dc=x\n\n",
    "pbkdf2_sha256$216000$KvqAT0cnjggh$E8XRs8XCYkInKrNdA/A6a5AstN/PHuAcQ/1AgJe+Gx4=",
    "argon2$argon2id$v=19$m=102400,t=2,p=8$Q3B6ZElDTE9CYm1BMmVWTE9WMnY3WQ$CssCm1eSE6IRgCDnI/mLYSqcMjZfu3A3vYLfvkjBHXE",
    "bcrypt_sha256$$2b$12$pTY4AnKAFiqAyUxZtO1/meWTSK1gaK8E5PHLqnh2gV3bAznrz0DmC",
    "scrypt$16384$saltsaltsaltsaltsaltsa$8$5$pAzJbpeq8ElBB5AmnfAKMngbwlabf/wOrrzY4zEdCfHkLda7Fv3uCv2pjQytSwJTTYgxEnZQ7QkAVMvkjE+c8g==",
    "scram_sha_1$4096$c2FsdA==$D25Gm34wT/sVobqswUaIe20jYLE=$WchSHKBAOljPT2a6s0bHMiMkJvg=",
    "{CRYPT}$6$rounds=5000$saltsalt$lFRLAkqeDmaEpmIrjT1A8R/JVtZ3fPgJDkQtRkvZ3hYVvSjAC1bXKvEyRkPwpNRzPH1vEgjjMyFAV3OaC2IEx0",
    "{PBKDF2-SHA256}1000$c2FsdHNhbHQ$E8XRs8XCYkInKrNdA.A6a5AstN.PHuAcQ.1AgJe.Gx4",
    "Jürgen.ＡＮＮ\u{ad}",
    "schema = 1\npublic_url = \"https://meet.example.org/accounts\"\n[passwords]\nminimum = 10\n",
];

/// Lua's literals, as Prosody writes them.
pub fn lua_table(bytes: &[u8]) {
    let _ = lua::read(bytes);
}

/// A file of Prosody's accounts; the first line is its name.
pub fn prosody_file(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let name = text.lines().next().unwrap_or_default().to_owned() + ".dat";
    for name in [name, "ann.dat".to_owned()] {
        let file = prosody::File {
            host: "meet%2eexample%2eorg".into(),
            name,
            contents: Ok(bytes.to_vec()),
        };
        let _ = prosody::from_file_of(&file, None);
    }
    let row: Vec<&str> = text.split('\n').collect();
    if let [key, kind, value, ..] = row[..] {
        let table = prosody::table_of([(key, kind, value)].into_iter());
        if let (Ok(table), "string") = (table, kind) {
            assert_eq!(
                table.text(key),
                Some(value.as_bytes()),
                "a row is what it was"
            );
        }
    }
}

/// A list. There are never more rows than lines.
pub fn csv_list(bytes: &[u8]) {
    if let Ok(rows) = csv::Rows::new("list", bytes) {
        let lines = bytes.iter().filter(|byte| **byte == b'\n').count() + 1;
        assert!(rows.take(lines + 1).count() <= lines);
    }
}

/// An LDIF file. There are never more entries than lines.
pub fn ldif_file(bytes: &[u8]) {
    let lines = bytes.iter().filter(|byte| **byte == b'\n').count() + 1;
    assert!(ldif::Entries::new("file", bytes).take(lines + 1).count() <= lines);
}

/// Hashes of every kind. What is read is bounded in cost, so that it may be checked.
pub fn password_hash(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(form) = Form::parse(text) {
        let _ = scram::from_form(&form);
        assert!(form.is_bounded(), "{form:?}");
    }
}

/// Names. What comes out goes in again unchanged.
pub fn login_name(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(login) = Login::parse_known(text) {
        assert_eq!(Login::parse_known(login.as_str()).as_ref(), Ok(&login));
        assert!(login.skeleton().chars().count() <= 190);
    }
    let _ = totp::recovery_digest(text);
}

/// Passwords as they are typed.
pub fn password_text(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Some(prepared) = scram::prepare(text) {
        assert_eq!(scram::prepare(&prepared).as_deref(), Some(&*prepared));
    }
    let _ = jitsi_install::account::password::strength::judge(text, 1, &["ann", "Jitsi Meet"]);
}

/// The file of settings.
pub fn accounts_toml(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let _ = toml::from_str::<Settings>(text);
}
