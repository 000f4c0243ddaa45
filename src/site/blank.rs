//! What `init` writes: a short commented site file with the choices that were made.

use super::WebServer;
use crate::name::{AbsPath, Domain, Email};

/// What the administrator has already said on the command line.
#[derive(Debug, Clone)]
pub struct Wishes {
    /// The public name.
    pub domain: Domain,
    /// Whom people may write to.
    pub admin_email: Option<Email>,
    /// Which web server.
    pub web: WebServer,
    /// Where acme.sh lives, when certificates come from it.
    pub acme_home: Option<AbsPath>,
    /// May people without a token come in?
    pub guests: bool,
    /// Is the account service wanted?
    pub accounts: bool,
}

/// The text of a new site file.
#[must_use]
pub fn blank(wishes: &Wishes) -> String {
    let email = match &wishes.admin_email {
        Some(email) => format!("admin_email = \"{}\"", toml_inner(email.as_str())),
        None => format!("# admin_email = \"admin@{}\"", wishes.domain),
    };
    let certificates = match &wishes.acme_home {
        Some(home) => format!("source = \"acme.sh\"\nhome = \"{home}\""),
        None => "source = \"self-signed\"         # or \"acme.sh\", \"certbot\", \"lego\", \"caddy\" with `home`, or \"files\" with `certificate` and `key`".to_owned(),
    };
    let accounts = if wishes.accounts {
        "[accounts]\nregistration = \"approval\"      # or \"open\", \"invite\", \"closed\"\n\n\
         # Mail leaves by this server; without it nobody can sign up:\n\
         # [accounts.smtp]\n# host = \"mail.example.org\"\n\n"
    } else {
        ""
    };
    format!(
        "# The site file of jitsi-install. Only `schema` and `domain` are required; every other key\n\
         # has a default. All keys are described in docs/site-file.md.\n\
         #\n\
         #   jitsi-install check                  is this file right?\n\
         #   jitsi-install plan                   what would change\n\
         #   jitsi-install apply                  change it\n\
         \n\
         schema = 1\n\
         domain = \"{domain}\"\n\
         {email}\n\
         \n\
         [certificates]\n\
         {certificates}\n\
         \n\
         [web]\n\
         server = \"{server}\"\n\
         \n\
         [auth]\n\
         mode = \"token\"                 # rooms are opened by signed tokens\n\
         guests = {guests}                   # people without one wait until a host is there\n\
         \n\
         [videobridge]\n\
         # Behind a NAT, say which outside address belongs to this machine's own:\n\
         # public_addresses = [{{ local = \"10.0.0.5\", public = \"198.51.100.7\" }}]\n\
         \n\
         {accounts}\
         [meet.config]\n\
         # Any key of config.js, for example:\n\
         # startWithVideoMuted = true\n",
        domain = wishes.domain,
        server = wishes.web.as_str(),
        guests = wishes.guests,
    )
}

/// An e-mail address may hold no quote or backslash, so that it goes into TOML as it is.
fn toml_inner(text: &str) -> &str {
    debug_assert!(!text.contains(['"', '\\']));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_init_writes_is_a_site() {
        for acme_home in [None, Some(AbsPath::fixed("/etc/acme.sh"))] {
            let wishes = Wishes {
                domain: Domain::parse("meet.example.org").unwrap(),
                admin_email: Some(Email::parse("admin@example.org").unwrap()),
                web: WebServer::Caddy,
                acme_home,
                guests: false,
                accounts: true,
            };
            let site = crate::site::parse(&blank(&wishes)).unwrap();
            assert_eq!(site.domain, wishes.domain);
            assert_eq!(site.web.server, WebServer::Caddy);
            assert!(!site.auth.guests);
            assert!(site.accounts.is_some());
        }
    }
}
