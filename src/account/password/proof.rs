//! Whether a password is the one behind a hash. Slow on purpose: call it on a thread that may block.

use std::num::NonZeroU32;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::{digest, pbkdf2};
use sha_crypt::{PasswordVerifier as _, ShaCrypt};
use zeroize::Zeroizing;

use super::form::{Digest, Form};
use super::scram;

impl Form {
    /// Whether the password is the one behind this hash; what is compared is compared in constant time.
    #[must_use]
    pub fn proves(&self, password: &str) -> bool {
        match self {
            Self::Argon2 {
                algorithm,
                version,
                memory,
                passes,
                lanes,
                salt,
                output,
            } => {
                let mut made = Zeroizing::new(vec![0; output.len()]);
                argon2::Params::new(*memory, *passes, *lanes, Some(output.len()))
                    .ok()
                    .and_then(|params| {
                        let how = (*algorithm, *version, params);
                        super::memory::argon2(how, password, salt, &mut made)
                    })
                    .is_some()
                    && equal(&made, output)
            }
            Self::Pbkdf2 {
                digest,
                rounds,
                salt,
                output,
                wrapped,
            } => {
                let secret = if *wrapped {
                    let salted = Zeroizing::new([salt, password.as_bytes()].concat());
                    hexadecimal(&digest::SHA1_FOR_LEGACY_USE_ONLY, &salted)
                } else {
                    Zeroizing::new(password.to_owned())
                };
                // Compared whole or cut, as it is kept: a prefix of the output is one of a block.
                let made = stretch(*digest, *rounds, salt, secret.as_bytes(), output.len());
                made.is_some_and(|made| equal(&made, output))
            }
            Self::Bcrypt { digested, text } => {
                let secret = if *digested {
                    hexadecimal(&digest::SHA256, password.as_bytes())
                } else {
                    Zeroizing::new(password.to_owned())
                };
                bcrypt::verify(secret.as_bytes(), text).unwrap_or(false)
            }
            Self::Scrypt {
                log_n,
                r,
                p,
                salt,
                output,
            } => {
                let mut made = Zeroizing::new(vec![0; output.len()]);
                scrypt::Params::new(*log_n, *r, *p).is_ok_and(|params| {
                    scrypt::scrypt(password.as_bytes(), salt, &params, &mut made).is_ok()
                }) && equal(&made, output)
            }
            Self::Scram {
                digest,
                rounds,
                salt,
                stored,
                ..
            } => scram::keys(*digest, password, salt, *rounds)
                .is_some_and(|keys| equal(&keys.stored, stored)),
            Self::Salted {
                digest,
                salt,
                output,
            } => {
                let mut context = digest::Context::new(match digest {
                    Digest::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
                    Digest::Sha256 => &digest::SHA256,
                    Digest::Sha512 => &digest::SHA512,
                });
                context.update(password.as_bytes());
                context.update(salt);
                equal(context.finish().as_ref(), output)
            }
            Self::Crypt { text, .. } => sha_crypt::PasswordHashRef::new(text).is_ok_and(|hash| {
                ShaCrypt::SHA512
                    .verify_password(password.as_bytes(), hash)
                    .is_ok()
            }),
        }
    }
}

/// PBKDF2; `None` for no rounds.
pub(super) fn stretch(
    digest: Digest,
    rounds: u32,
    salt: &[u8],
    secret: &[u8],
    len: usize,
) -> Option<Zeroizing<Vec<u8>>> {
    let algorithm = match digest {
        Digest::Sha1 => pbkdf2::PBKDF2_HMAC_SHA1,
        Digest::Sha256 => pbkdf2::PBKDF2_HMAC_SHA256,
        Digest::Sha512 => pbkdf2::PBKDF2_HMAC_SHA512,
    };
    let mut made = Zeroizing::new(vec![0; len]);
    pbkdf2::derive(algorithm, NonZeroU32::new(rounds)?, salt, secret, &mut made);
    Some(made)
}

fn hexadecimal(algorithm: &'static digest::Algorithm, bytes: &[u8]) -> Zeroizing<String> {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(128);
    for byte in digest::digest(algorithm, bytes).as_ref() {
        let _ = write!(text, "{byte:02x}");
    }
    Zeroizing::new(text)
}

fn equal(made: &[u8], kept: &[u8]) -> bool {
    !kept.is_empty() && verify_slices_are_equal(made, kept).is_ok()
}

#[cfg(test)]
mod tests {
    use super::super::form::Unread;
    use super::*;

    const RIGHT: &str = "C0rrect-horse-7";

    fn proved(hash: &str) -> Result<(), Unread> {
        proved_by(hash, RIGHT)
    }

    fn proved_by(hash: &str, right: &str) -> Result<(), Unread> {
        let form = Form::parse(hash)?;
        assert!(form.proves(right), "{hash}");
        for wrong in ["", "c0rrect-horse-7", "C0rrect-horse-7 ", "b"] {
            assert!(!form.proves(wrong), "{hash} {wrong:?}");
        }
        Ok(())
    }

    /// Written by Django 3.1 and 5.2.
    #[test]
    fn django() {
        for hash in [
            "pbkdf2_sha256$216000$KvqAT0cnjggh$E8XRs8XCYkInKrNdA/A6a5AstN/PHuAcQ/1AgJe+Gx4=",
            "pbkdf2_sha256$1000000$saltsaltsaltsaltsaltsa$4mHZalR86wrFbLj68BrN3cdMFAyhB6zX7DtWOR7Q2kM=",
            "pbkdf2_sha1$1000000$saltsaltsaltsaltsaltsa$N1HtMJVoDOzDWwe0cSx7oueaNKs=",
            "argon2$argon2id$v=19$m=102400,t=2,p=8$Q3B6ZElDTE9CYm1BMmVWTE9WMnY3WQ$CssCm1eSE6IRgCDnI/mLYSqcMjZfu3A3vYLfvkjBHXE",
            "bcrypt_sha256$$2b$12$pTY4AnKAFiqAyUxZtO1/meWTSK1gaK8E5PHLqnh2gV3bAznrz0DmC",
            "bcrypt$$2b$12$p3eo8HGGvxP8ouMQsoX9mu1R4nZwLiL3tVfqHN86Oqz/k14/gpf/a",
            "scrypt$16384$saltsaltsaltsaltsaltsa$8$5$pAzJbpeq8ElBB5AmnfAKMngbwlabf/wOrrzY4zEdCfHkLda7Fv3uCv2pjQytSwJTTYgxEnZQ7QkAVMvkjE+c8g==",
        ] {
            assert_eq!(proved(hash), Ok(()));
        }
        let wrapped =
            "pbkdf2_wrapped_sha1$10$YoBzLZeL3w2R$djfB2Y51/PwFdzcMoIlwUXglb2wMBz2L+LZ8Hjs2wnk=";
        assert_eq!(proved_by(wrapped, "a"), Ok(()));
        assert_eq!(
            proved("md5$saltsaltsaltsaltsaltsa$590a67fafd9271559ffe389edffc0c59"),
            Err(Unread::Kind)
        );
        assert_eq!(
            proved("!tcsCdH7gVSWwQJCI7JzJrxZkJs0Cy8s2KgnQJvTk"),
            Err(Unread::Nothing)
        );
        assert_eq!(proved(""), Err(Unread::Nothing));
    }

    /// Written by Python's hashlib, bcrypt and argon2-cffi, and by OpenSSL.
    #[test]
    fn servers_of_directories() {
        for hash in [
            "{SHA}pqBHtB9RIN3bQMi3dQRxrWSNTbc=",
            "{SSHA}y53A0kk0d/TjcYVK46w9aCkkW1lzYWx0U0FMVA==",
            "{SHA256}EUg3fTKvFpXL2IZ+yC6npqW0PR1XROVaR8NJ3sztnkw=",
            "{SSHA256}V+8E/xB6LO0y4r6zFC5dvPURwneVKt/ulkjWup3fR9tzYWx0U0FMVA==",
            "{SHA512}yJB25xqwaritE9aYvBfXC6qyMyCvjsB1NVIZtRtakOph0DDqldWDmlrkP+YzwqYQMKSi8xvfDpmqIc7jueTFsg==",
            "{SSHA512}JVupevtsy517pLJIj5ebAaT1BAvpGMLcTjdKe6iEv48yD9lRYTOfWg2QQaXPJjrchQrvpvrg7PQrRpWpSfe8d3NhbHRTQUxU",
            "{PBKDF2}10000$c2FsdFNBTFRzYWx0U0FMVA$X8vmOGdFsEmPtaxZftWKvoUrY/w",
            "{PBKDF2-SHA256}10000$c2FsdFNBTFRzYWx0U0FMVA$s1AhpO4cBxbfUHFpgTuOLfhBG74ypVRymG3P7w/a83E",
            "{PBKDF2-SHA512}10000$c2FsdFNBTFRzYWx0U0FMVA$7NAYvQj2QBmZHs5twIrixZIUNhko.yQgWAoQbFPQjP7CN9uoJJSn7z8hshYsPwz2iuSSvrcYuR8tT2.MY1M51w",
            "{CRYPT}$2y$05$bNKp9YH..tc6sp7HTISuyuQCK/QpjiqLzqFqMVdwfaH6g6sxwXxoS",
            "{ARGON2}$argon2id$v=19$m=256,t=1,p=1$bVWUjlX4Ajf9KPj7C9G0IA$wtkUSL/0WZolGjT93Bh1q75HHzN4mf6sElPnDfOn2yo",
            "{ARGON2}$argon2i$v=19$m=256,t=2,p=2$GjbS/NhuvpPaOPmIWcpIOg$kpiIq2/XLD3EFbFsTE4SPb3EQ5GC3TQUfziZXDm1WDI",
            "{CRYPT}$5$b9oxcFWuNEMzWXfs$ZmpaQTmLxF2A7JaTBGSXo9JqCg79s8WHiIB4dbdrBX3",
            "{CRYPT}$6$KEFZER02Tlg0sHt7$Lknv61IfUNVzJq/QfrzyY2cRFafI4Ghtw3I9xgoQnhi9GoxNSeaAEyMkpIHM8DbDDIjrsdHTRd/i1hA6WoKim0",
        ] {
            assert_eq!(proved(hash), Ok(()));
        }
        for (hash, why) in [
            ("{MD5}CY9rzUYh03PK3k6DJie09g==", Unread::Kind),
            ("{CRYPT}$1$saltsalt$qjXMvbEw8oaL.CzflDtaK/", Unread::Kind),
            ("{CRYPT}$y$j9T$abc$def", Unread::Kind),
            ("{CRYPT}ab.VKB.ByFVHU", Unread::Kind),
            ("{CRYPT}!", Unread::Nothing),
            ("{SASL}ann@example.org", Unread::Kind),
        ] {
            assert_eq!(proved(hash), Err(why), "{hash}");
        }
    }
}
