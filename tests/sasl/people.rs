//! Who is in the database: rows as the account service writes them, and as Django does.

use std::num::NonZeroU32;

use aws_lc_rs::pbkdf2::{self, PBKDF2_HMAC_SHA1, PBKDF2_HMAC_SHA256};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::{Digest, Sha1};
use sha2::Sha256;

/// Everybody's password.
pub(crate) const PASSWORD: &str = "C0rrect-horse-7";

/// A row of the view `prosody_login`.
pub(crate) struct Person {
    pub(crate) name: &'static str,
    pub(crate) is_enabled: bool,
    pub(crate) password: String,
    pub(crate) scram_sha_1: Option<String>,
    pub(crate) scram_sha_256: Option<String>,
}

impl Person {
    fn new(name: &'static str, password: String) -> Self {
        Person {
            name,
            is_enabled: true,
            password,
            scram_sha_1: None,
            scram_sha_256: None,
        }
    }

    fn with_keys(mut self) -> Self {
        let salt = |kind: &str| Sha256::digest(format!("{}{kind}", self.name))[..16].to_vec();
        let (one, two) = (salt("1"), salt("256"));
        self.scram_sha_1 = Some(scram_sha_1(PASSWORD, &one, 10_000));
        self.scram_sha_256 = Some(scram_sha_256(PASSWORD, &two, 10_000));
        self
    }
}

/// Only the account service can check this one.
const ARGON2: &str = "$argon2id$v=19$m=19456,t=2,p=1$Q3B6ZElDTE9CYm1BMmVWTA$CssCm1eSE6IRgCDnI/mLYSqcMjZfu3A3vYLfvkjBHXE";

/// One for each form.
pub(crate) fn everybody() -> Vec<Person> {
    let argon2 = || ARGON2.to_owned();
    let salt = b"UUID-like salt";
    let mut people = vec![
        // the account service's own rows, where the site asks for SCRAM and where not
        Person::new("ann", argon2()).with_keys(),
        Person::new("ben", argon2()),
        // Django 5.2's
        Person::new(
            "dan",
            "pbkdf2_sha256$1000000$saltsaltsaltsaltsaltsa$4mHZalR86wrFbLj68BrN3cdMFAyhB6zX7DtWOR7Q2kM="
                .to_owned(),
        ),
        Person::new(
            "dora",
            "pbkdf2_sha1$1000000$saltsaltsaltsaltsaltsa$N1HtMJVoDOzDWwe0cSx7oueaNKs=".to_owned(),
        ),
        // Django 1.6's, cheap enough to be checked in Prosody
        Person::new("eve", django_sha256(PASSWORD, "oldsaltoldsa", 12_000)),
        Person::new("emil", django_sha1(PASSWORD, "oldsaltoldsa", 12_000)),
        // imported from Prosody
        Person::new(
            "pia",
            format!("scram_sha_1${}", scram_sha_1(PASSWORD, salt, 10_000)),
        ),
        Person::new(
            "paul",
            format!("scram_sha_256${}", scram_sha_256(PASSWORD, salt, 10_000)),
        ),
        // nobody's password
        Person::new("nora", "!unusable".to_owned()),
        Person::new("bad1", "pbkdf2_sha256$12000$salt$not base64!".to_owned()),
        Person::new("bad2", "pbkdf2_sha256$0$salt$AAAA".to_owned()),
        Person::new("bad3", "scram_sha_1$99999999999$AAAA$AAAA$AAAA".to_owned()),
    ];
    let mut sue = Person::new("sue", argon2()).with_keys();
    sue.is_enabled = false;
    let mut stan = Person::new("stan", django_sha256(PASSWORD, "oldsaltoldsa", 12_000));
    stan.is_enabled = false;
    people.extend([sue, stan]);
    people
}

fn hmac256(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

fn hmac1(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha1>::new_from_slice(key).unwrap();
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

/// By the library whose speed does not depend on how these tests are built.
fn derive(
    algorithm: pbkdf2::Algorithm,
    password: &str,
    salt: &[u8],
    iterations: u32,
    salted: &mut [u8],
) {
    let iterations = NonZeroU32::new(iterations).unwrap();
    pbkdf2::derive(algorithm, iterations, salt, password.as_bytes(), salted);
}

fn record(iterations: u32, salt: &[u8], stored: &[u8], server: &[u8]) -> String {
    let [salt, stored, server] = [salt, stored, server].map(|bytes| STANDARD.encode(bytes));
    format!("{iterations}${salt}${stored}${server}")
}

pub(crate) fn scram_sha_1(password: &str, salt: &[u8], iterations: u32) -> String {
    let mut salted = [0; 20];
    derive(PBKDF2_HMAC_SHA1, password, salt, iterations, &mut salted);
    let stored = Sha1::digest(hmac1(&salted, b"Client Key"));
    record(iterations, salt, &stored, &hmac1(&salted, b"Server Key"))
}

pub(crate) fn scram_sha_256(password: &str, salt: &[u8], iterations: u32) -> String {
    let mut salted = [0; 32];
    derive(PBKDF2_HMAC_SHA256, password, salt, iterations, &mut salted);
    let stored = Sha256::digest(hmac256(&salted, b"Client Key"));
    record(iterations, salt, &stored, &hmac256(&salted, b"Server Key"))
}

pub(crate) fn django_sha256(password: &str, salt: &str, iterations: u32) -> String {
    let mut salted = [0; 32];
    derive(
        PBKDF2_HMAC_SHA256,
        password,
        salt.as_bytes(),
        iterations,
        &mut salted,
    );
    format!(
        "pbkdf2_sha256${iterations}${salt}${}",
        STANDARD.encode(salted)
    )
}

pub(crate) fn django_sha1(password: &str, salt: &str, iterations: u32) -> String {
    let mut salted = [0; 20];
    derive(
        PBKDF2_HMAC_SHA1,
        password,
        salt.as_bytes(),
        iterations,
        &mut salted,
    );
    format!(
        "pbkdf2_sha1${iterations}${salt}${}",
        STANDARD.encode(salted)
    )
}

/// The table behind the view, the view, and everybody, in any dialect.
pub(crate) fn sql() -> String {
    let mut sql = "CREATE TABLE people (username VARCHAR(64) NOT NULL PRIMARY KEY, enabled SMALLINT NOT NULL, \
         password TEXT, scram_sha_1 TEXT, scram_sha_256 TEXT);\n\
         CREATE VIEW prosody_login AS SELECT username, enabled, password, scram_sha_1, scram_sha_256 FROM people;\n"
        .to_owned();
    for person in everybody() {
        sql.push_str(&insert(&person));
    }
    sql
}

pub(crate) fn insert(person: &Person) -> String {
    let text = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let perhaps = |word: &Option<String>| word.as_deref().map_or("NULL".to_owned(), text);
    format!(
        "INSERT INTO people VALUES ({}, {}, {}, {}, {});\n",
        text(person.name),
        u8::from(person.is_enabled),
        text(&person.password),
        perhaps(&person.scram_sha_1),
        perhaps(&person.scram_sha_256),
    )
}
