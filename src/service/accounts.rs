//! The account service: its settings and secrets, its folder, its socket, and for a database on
//! this machine the server with database and roles.

use serde_json::{Value, json};

use super::{Context, ServiceError, Wants};
use crate::name::{AbsPath, Mode, Owner, ServiceId};
use crate::resource::{self, Content, Dir, How, Item, Probe, Resource};
use crate::secret::Secret;
use crate::site::{Accounts, Database, Engine, Mode as SignIn, SmtpTls};

/// What stands in files that `[accounts]` names.
#[derive(Debug, Clone, Default)]
pub struct Words {
    /// Password of the service's role in a database elsewhere.
    pub database_password: Option<Secret<String>>,
    /// Password of Prosody's role there.
    pub reader_password: Option<Secret<String>>,
    /// Password at the mail server.
    pub smtp_password: Option<Secret<String>>,
    /// Key that signs what a webhook gets.
    pub webhook_key: Option<Secret<String>>,
}

impl Words {
    /// Those that are there.
    pub fn all(&self) -> impl Iterator<Item = &Secret<String>> {
        let Self {
            database_password,
            reader_password,
            smtp_password,
            webhook_key,
        } = self;
        [
            database_password,
            reader_password,
            smtp_password,
            webhook_key,
        ]
        .into_iter()
        .flatten()
    }
}

/// Database and service's role on this machine; the reader's name is derived from it.
pub const DATABASE: &str = "jitsi_accounts";

/// Prosody's role on this machine.
pub const READER: &str = "jitsi_accounts_reader";

/// Folder of SQLite's file.
#[must_use]
pub fn sqlite_file(context: &Context<'_>) -> AbsPath {
    context.platform.accounts.state.join("accounts.sqlite")
}

/// The URL of the database, as the service reads it; no password is in it.
fn database_url(context: &Context<'_>, database: &Database) -> String {
    let place = &context.platform.accounts;
    match database {
        Database::Sqlite => format!("sqlite:{}", sqlite_file(context)),
        Database::Local(Engine::MariaDb) => {
            format!(
                "mysql://{DATABASE}@localhost/{DATABASE}?socket={}&ssl-mode=DISABLED",
                place.mariadb.1
            )
        }
        // By loopback, since its socket asks for a user of the same name.
        Database::Local(Engine::PostgreSql) => {
            format!("postgres://{DATABASE}@127.0.0.1/{DATABASE}?sslmode=disable")
        }
        Database::Remote(engine, remote) => {
            let (scheme, key, ca) = match engine {
                Engine::MariaDb => ("mysql", "ssl-mode", "ssl-ca"),
                Engine::PostgreSql => ("postgres", "sslmode", "sslrootcert"),
            };
            let mode = match (engine, remote.tls) {
                (Engine::MariaDb, true) => "VERIFY_IDENTITY",
                (Engine::MariaDb, false) => "DISABLED",
                (Engine::PostgreSql, true) => "verify-full",
                (Engine::PostgreSql, false) => "disable",
            };
            let mut url = format!(
                "{scheme}://{}@{}/{}?{key}={mode}",
                remote.user, remote.address, remote.name
            );
            if let Some(file) = remote.ca_file.as_ref().filter(|_| remote.tls) {
                url.push_str(&format!("&{ca}={file}"));
            }
            url
        }
    }
}

/// The SCRAM keys that are kept: those asked for, and else those that Prosody signs people in with.
fn scram(context: &Context<'_>, accounts: &Accounts) -> Vec<&'static str> {
    match (&accounts.scram, context.site.auth.mode) {
        (Some(asked), _) => asked.iter().map(|hash| hash.as_str()).collect(),
        (None, SignIn::SqlHashed) => context.site.auth.sql_hashed.scram(),
        (None, SignIn::Token) => Vec::new(),
    }
}

/// The group that may look into the service's folder, which is Prosody's when it reads SQLite's
/// file there, and the folder's mode; what is made in it then has that group too.
fn data_for(context: &Context<'_>, accounts: &Accounts) -> (String, u32) {
    match (&accounts.database, context.site.auth.mode) {
        (Database::Sqlite, SignIn::SqlHashed) => {
            (context.platform.prosody.account.owner.group.clone(), 0o2750)
        }
        _ => (context.platform.accounts.account.owner.group.clone(), 0o750),
    }
}

/// The values for templates; those of the defaults, when the site has no account service.
pub(super) fn values(context: &Context<'_>) -> Value {
    let (site, platform) = (context.site, context.platform);
    let usual = Accounts::default();
    let accounts = site.accounts.as_ref().unwrap_or(&usual);
    let place = &platform.accounts;
    let in_config = |name: &str, is_there: bool| {
        if is_there {
            place.config.join(name).to_string()
        } else {
            String::new()
        }
    };
    let smtp = accounts.smtp.as_ref();
    let path = |path: Option<&AbsPath>| path.map(ToString::to_string).unwrap_or_default();
    // A trial has no mail server: mails are files to look at.
    let folder = match (&platform.stage, smtp) {
        (Some(stage), None) => stage.base.join("mails").to_string(),
        _ => String::new(),
    };
    json!({
        "wanted": site.accounts.is_some(),
        "path": accounts.path,
        "public_url": format!("https://{}{}", context.public_name(), accounts.path),
        "site_name": accounts.site_name.as_deref().unwrap_or_default(),
        "language": accounts.language,
        "registration": accounts.registration,
        "allowed_domains": accounts.allowed_domains,
        "blocked_domains": accounts.blocked_domains,
        "terms_url": accounts.terms_url.as_deref().unwrap_or_default(),
        "ask_reason": accounts.ask_reason,
        "password_minimum": accounts.password_minimum,
        "staff_second_factor": accounts.staff_second_factor,
        "scram": scram(context, accounts),
        "scram_iterations": site.auth.sql_hashed.scram_iterations,
        "socket": place.run.join("web.sock"),
        "internal": format!("127.0.0.1:{}", accounts.internal_port),
        "database": database_url(context, &accounts.database),
        "database_password_file": in_config("database.password", accounts.database != Database::Sqlite),
        "key_file": place.config.join("key"),
        "prosody_key_file": place.config.join("prosody.key"),
        "mail": {
            "folder": folder,
            "host": smtp.map(|smtp| smtp.host.as_str()).unwrap_or_default(),
            "port": smtp.and_then(|smtp| smtp.port).unwrap_or_default(),
            "tls": smtp.map_or(SmtpTls::Required, |smtp| smtp.tls),
            "ca_file": path(smtp.and_then(|smtp| smtp.ca_file.as_ref())),
            "username": smtp.and_then(|smtp| smtp.login.as_ref()).map(|(name, _)| name.as_str()).unwrap_or_default(),
            "password_file": in_config("smtp.password", smtp.is_some_and(|smtp| smtp.login.is_some())),
            "from": smtp.and_then(|smtp| smtp.from.clone()).unwrap_or_else(|| format!("no-reply@{}", site.domain)),
        },
        "notify": {
            "addresses": accounts.notify.addresses,
            "webhook": accounts.notify.webhook.as_deref().unwrap_or_default(),
            "webhook_key_file": in_config("webhook.key", accounts.notify.webhook_key_file.is_some()),
        },
        "program": place.program,
        "config_dir": place.config,
        "state": place.state,
        "run_dir": place.run,
        "log_dir": platform.jitsi_logs.join("accounts"),
        "user": place.account.owner.user,
        "group": place.account.owner.group,
        "web_group": platform.web(site.web.server).account.owner.group,
        "server_unit": server(context, &accounts.database).map(|(name, ..)| name).unwrap_or_default(),
        "stays_home": stays_home(accounts),
    })
}

/// Does it speak to nobody outside this machine?
fn stays_home(accounts: &Accounts) -> bool {
    let is_near = |host: &str| {
        host == "localhost"
            || host
                .parse::<std::net::IpAddr>()
                .is_ok_and(|ip| ip.is_loopback())
    };
    let mail = accounts.smtp.as_ref();
    !matches!(accounts.database, Database::Remote(..))
        && mail.is_none_or(|smtp| is_near(&smtp.host))
        && accounts.notify.webhook.is_none()
}

/// The database server on this machine: service, packages, probes.
fn server<'c>(
    context: &'c Context<'_>,
    database: &Database,
) -> Option<(&'static str, &'c [&'static str])> {
    let (place, packages) = (&context.platform.accounts, &context.platform.packages);
    match database {
        Database::Local(Engine::MariaDb) => Some((place.mariadb.0, packages.mariadb.as_slice())),
        Database::Local(Engine::PostgreSql) => {
            Some((place.postgresql, packages.postgresql.as_slice()))
        }
        Database::Sqlite | Database::Remote(..) => None,
    }
}

/// The rc scripts of it and of its database, in starting order.
pub(super) fn at_boot(context: &Context<'_>) -> Vec<&'static str> {
    let Some(accounts) = &context.site.accounts else {
        return Vec::new();
    };
    let server = server(context, &accounts.database).map(|(name, _)| name);
    server.into_iter().chain(["jitsi-accounts"]).collect()
}

/// The resources; none, when the site has no account service.
///
/// # Errors
/// When a template is wrong.
pub fn items(context: &Context<'_>, remarks: &mut Vec<String>) -> Result<Vec<Item>, ServiceError> {
    let Some(accounts) = &context.site.accounts else {
        return Ok(Vec::new());
    };
    if accounts.smtp.is_none() && context.platform.stage.is_none() {
        remarks.push(
            "`[accounts]` without `[accounts.smtp]`: no mail leaves, so that nobody can sign up or reset a password by themselves"
                .to_owned(),
        );
    }
    let mut items = database(context, accounts);
    let mut wants = Wants::of(ServiceId::Accounts, Some(How::Restart));
    let platform = context.platform;
    let place = &platform.accounts;
    let owner = &place.account.owner;
    let group = owner.group.clone();
    wants.packages(&platform.packages.accounts, context);
    wants.account(&place.account);
    for dir in [place.config.clone(), place.config.join("templates")] {
        wants.add(Resource::dir(dir, Owner::new("root", &group), 0o750));
    }
    let (readers, mode) = data_for(context, accounts);
    wants.add(Resource::dir(
        place.state.clone(),
        Owner::new(&owner.user, &readers),
        mode,
    ));
    wants.add(Resource::group_file(
        place.config.join("accounts.toml"),
        &group,
        context.render("accounts/accounts.toml")?,
    ));
    for (name, word) in words(context, accounts) {
        let line = Content::Bytes(format!("{}\n", word.reveal()).into_bytes());
        wants.veiled_file(
            place.config.join(name),
            Owner::new("root", &group),
            0o640,
            line,
        );
    }
    start(context, &mut wants)?;
    wants.runs(
        "jitsi-accounts",
        vec![Probe::Http {
            port: accounts.internal_port,
            path: "/readyz".to_owned(),
        }],
    );
    items.extend(wants.items);
    Ok(items)
}

/// Files of one word each.
fn words<'c>(
    context: &'c Context<'_>,
    accounts: &Accounts,
) -> Vec<(&'static str, &'c Secret<String>)> {
    let (secrets, found) = (context.secrets, &context.facts.accounts);
    let database = match accounts.database {
        Database::Sqlite => None,
        Database::Local(_) => Some(&secrets.accounts_database_password),
        Database::Remote(..) => found.database_password.as_ref(),
    };
    let mut words = vec![
        ("key", &secrets.accounts_key),
        ("prosody.key", &secrets.accounts_prosody_key),
    ];
    words.extend(database.map(|word| ("database.password", word)));
    words.extend(
        found
            .smtp_password
            .as_ref()
            .map(|word| ("smtp.password", word)),
    );
    words.extend(found.webhook_key.as_ref().map(|word| ("webhook.key", word)));
    words
}

/// What starts it: units, or an rc script with its settings, its log and the log's rotation.
fn start(context: &Context<'_>, wants: &mut Wants) -> Result<(), ServiceError> {
    let platform = context.platform;
    let place = &platform.accounts;
    if context.has_systemd() {
        for (name, template) in [
            ("jitsi-accounts.socket", "accounts/socket.ini"),
            ("jitsi-accounts.service", "accounts/jitsi-accounts.ini"),
        ] {
            wants.add(Resource::public_file(
                platform.init_dir.join(name),
                context.render(template)?,
            ));
        }
        return Ok(());
    }
    let owner = &place.account.owner;
    let logs = platform.jitsi_logs.join("accounts");
    wants.add(Resource::Dir(Dir {
        path: logs,
        owner: owner.clone(),
        mode: Mode(0o750),
        ours: true,
    }));
    wants.add(Resource::public_file(
        place.config.join("config"),
        context.render("accounts/config.sh")?,
    ));
    wants.program(
        platform.init_dir.join("rc.jitsi-accounts"),
        include_str!("../../rc.d/rc.jitsi-accounts"),
    );
    wants.wakes.clear();
    wants.add(Resource::public_file(
        place.logrotate.join("jitsi-accounts"),
        context.render("accounts/logrotate.sh")?,
    ));
    Ok(())
}

/// A database on this machine: its server runs, and database and roles are there.
fn database(context: &Context<'_>, accounts: &Accounts) -> Vec<Item> {
    let Some((name, packages)) = server(context, &accounts.database) else {
        return Vec::new();
    };
    let Database::Local(engine) = accounts.database else {
        return Vec::new();
    };
    let mut wants = Wants::of(ServiceId::Database, None);
    wants.packages(packages, context);
    wants.runs(name, Vec::new());
    wants.add(Resource::Database(resource::Database {
        engine,
        name: DATABASE.to_owned(),
        password: Some(context.secrets.accounts_database_password.clone()),
        reader_password: Some(context.secrets.accounts_reader_password.clone()),
    }));
    wants.items
}
