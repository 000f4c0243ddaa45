//! What is right, to begin from: the name of a body, and what it reads.

use crate::house::house;

/// Copies of these are spoiled, and corpora of `fuzz/` begin with them.
pub fn all() -> Vec<(&'static str, Vec<u8>)> {
    let mut all: Vec<_> = SEEDS
        .iter()
        .map(|(name, text)| (*name, text.as_bytes().to_vec()))
        .collect();
    all.push(("export_file", house().exported()));
    all
}

const SEEDS: &[(&str, &str)] = &[
    (
        "lua_table",
        "return {\n\t[\"salt\"] = \"7ef5\\\"\\\n\\195\\188\";\n\t[\"iteration_count\"] = 10000;\n\t[\"a\"] = { 1, x = (1/0); [[y]] };\n};\n",
    ),
    (
        "prosody_file",
        "return { [\"stored_key\"] = \"0f6e469b7e304ffb15a1baacc146887b6d2360b1\"; [\"salt\"] = \"s\"; [\"server_key\"] = \"59c8521ca0403a58cf4f66bab346c732232426f8\"; [\"iteration_count\"] = 4096; }",
    ),
    ("prosody_file", "iteration_count\nnumber\n4096\n"),
    (
        "csv_list",
        "login;email;name\r\nann;ann@example.org;\"Ann \"\"A\"\"\r\nB\"\r\nben;;\r\n",
    ),
    (
        "ldif_file",
        "version: 1\n\ndn: uid=ann,dc=example,dc=org\nobjectClass: inetOrgPerson\nuid: ann\ncn:: w4RubiBC\nmail: ann@ex\n ample.org\nuserPassword:: e1NTSEF9QUJD\nmemberOf: cn=a\\,b,dc=x\n\n",
    ),
    (
        "password_hash",
        "pbkdf2_sha256$216000$KvqAT0cnjggh$E8XRs8XCYkInKrNdA/A6a5AstN/PHuAcQ/1AgJe+Gx4=",
    ),
    (
        "password_hash",
        "pbkdf2_sha1$400$KvqAT0cnjggh$D25Gm34wT/sVobqswUaIe20jYLE=",
    ),
    (
        "password_hash",
        "pbkdf2_wrapped_sha1$400$KvqAT0cnjggh$E8XRs8XCYkInKrNdA/A6a5AstN/PHuAcQ/1AgJe+Gx4=",
    ),
    (
        "password_hash",
        "argon2$argon2id$v=19$m=102400,t=2,p=8$Q3B6ZElDTE9CYm1BMmVWTE9WMnY3WQ$CssCm1eSE6IRgCDnI/mLYSqcMjZfu3A3vYLfvkjBHXE",
    ),
    (
        "password_hash",
        "$argon2i$v=16$m=64,t=1,p=1$c2FsdHNhbHQ$CssCm1eSE6IRgCDnI/mLYSqcMjZfu3A3vYLfvkjBHXE",
    ),
    (
        "password_hash",
        "bcrypt_sha256$$2b$12$pTY4AnKAFiqAyUxZtO1/meWTSK1gaK8E5PHLqnh2gV3bAznrz0DmC",
    ),
    (
        "password_hash",
        "bcrypt$$2b$12$pTY4AnKAFiqAyUxZtO1/meWTSK1gaK8E5PHLqnh2gV3bAznrz0DmC",
    ),
    (
        "password_hash",
        "scrypt$64$saltsaltsaltsaltsaltsa$8$1$pAzJbpeq8ElBB5AmnfAKMngbwlabf/wOrrzY4zEdCfHkLda7Fv3uCv2pjQytSwJTTYgxEnZQ7QkAVMvkjE+c8g==",
    ),
    (
        "password_hash",
        "scram_sha_1$409$c2FsdA==$D25Gm34wT/sVobqswUaIe20jYLE=$WchSHKBAOljPT2a6s0bHMiMkJvg=",
    ),
    (
        "password_hash",
        "scram_sha_256$409$c2FsdA==$E8XRs8XCYkInKrNdA/A6a5AstN/PHuAcQ/1AgJe+Gx4=$E8XRs8XCYkInKrNdA/A6a5AstN/PHuAcQ/1AgJe+Gx4=",
    ),
    (
        "password_hash",
        "{CRYPT}$6$rounds=5000$saltsalt$lFRLAkqeDmaEpmIrjT1A8R/JVtZ3fPgJDkQtRkvZ3hYVvSjAC1bXKvEyRkPwpNRzPH1vEgjjMyFAV3OaC2IEx0",
    ),
    (
        "password_hash",
        "{CRYPT}$5$saltsalt$Y5PJQGFSNyRNyfQ6jEVNkWnNwnbA1B6a4dYBRyZoh8/",
    ),
    (
        "password_hash",
        "{PBKDF2-SHA256}400$c2FsdHNhbHQ$E8XRs8XCYkInKrNdA.A6a5AstN.PHuAcQ.1AgJe.Gx4",
    ),
    ("password_hash", "{SSHA}D25Gm34wT/sVobqswUaIe20jYLFzYWx0"),
    (
        "password_hash",
        "{SSHA256}E8XRs8XCYkInKrNdA/A6a5AstN/PHuAcQ/1AgJe+Gx5zYWx0",
    ),
    ("login_name", "Jürgen.ＡＮＮ\u{ad}"),
    ("login_name", "раураl"),
    ("password_text", "correct horse\u{a0}ﬀ 7"),
    ("email_address", " Ann.O'Neil+x@Mail.example.org "),
    (
        "accounts_toml",
        "schema = 1\npublic_url = \"https://meet.example.org/accounts\"\n[passwords]\nminimum = 10\n",
    ),
    (
        "accounts_toml",
        "schema = 1\npublic_url = \"https://meet.example.org\"\nlisten = \"127.0.0.1:8090\"\ntrusted_proxies = [\"10.0.0.0/8\"]\ndatabase = \"postgres://a@db/accounts\"\n[registration]\nmode = \"open\"\nallowed_domains = [\".example.org\"]\n[mail]\nfrom = \"Meetings <no-reply@example.org>\"\nserver = \"mail.example.org\"\n[notify]\naddresses = [\"ann@example.org\"]\n",
    ),
    (
        "cookie_header",
        "a=1; __Host-jitsi-accounts=key; b\n__Host-jitsi-accounts-said=word~signature;",
    ),
    (
        "client_address",
        "198.51.100.1, ::ffff:192.0.2.9\n2001:db8::7",
    ),
    ("client_address", "2001:db8::/32"),
    (
        "prosody_question",
        "{\"username\":\"ann\",\"password\":\"correct horse battery\"}",
    ),
    ("prosody_question", "[\"ann\",\"correct horse battery\"]"),
    ("signed_link", "\u{5}\u{2}x"),
    ("signed_link", "\u{0}\u{0}"),
    (
        "page_request",
        "GET /sign-in?next=/accounts/account\naccept-language: de, fr;q=0.5\ncookie: __Host-jitsi-accounts-language=es\n\n",
    ),
    ("page_request", "GET /decide?d={link}\n\n"),
    ("page_request", "POST /decide?d={link}x\n\nd={link}&group="),
    (
        "page_request",
        "GET /again?next=https://example.com/\nas: ann\n\n",
    ),
    (
        "page_request",
        "POST /again\nas: ann\n\npassword=x&next=//example.com",
    ),
    ("page_request", "GET /invite?c=<x7>%3Cx7%3E\n\n"),
    ("page_request", "GET /reset?t=abc%00\n\n"),
    ("page_request", "POST /email-change\n\nt=abc"),
    (
        "page_request",
        "POST /sign-up\n\nlogin=<x7>&email=ann@example.org&password=correct+horse+battery&display_name=%22%3E%3Cx7&reason=%3Cx7&began={began}",
    ),
    (
        "page_request",
        "POST /language\n\nlanguage=fr&next=/\\example.com",
    ),
    (
        "page_request",
        "POST /account/profile\nas: ann\n\ndisplay_name=%3Cx7%20onload%3Dx7%3E&language=de",
    ),
    (
        "page_request",
        "GET /admin/users?q=%3Cx7%3E&state=active&role=member&sort=login&after=x\nas: boss\n\n",
    ),
    (
        "page_request",
        "GET /admin/audit?action=signup&from=2026-01-01&until=x&after=1\nas: boss\n\n",
    ),
    (
        "page_request",
        "GET /admin/waiting?state=unconfirmed\nas: carl\n\n",
    ),
    ("page_request", "GET /admin/users.csv?q=ann\nas: boss\n\n"),
    (
        "page_request",
        "POST /admin/groups\nas: boss\n\nname=%3Cx7%3E&description=%3Cx7",
    ),
    (
        "page_request",
        "POST /admin/invites\nas: boss\n\nlabel=%3Cx7&uses=3&days=7&group=",
    ),
    (
        "page_request",
        "POST /admin/settings\nas: boss\n\nmode=open&terms_url=javascript:x7&allowed_domains=%3Cx7",
    ),
    (
        "page_request",
        "POST /admin/users/several\nas: boss\n\nid=1&id=2&act=suspend",
    ),
    (
        "page_request",
        "POST /sign-out\norigin: https://other.example.org\nsec-fetch-site: cross-site\n\n",
    ),
];
