//! What each piece is called in a family's repositories.

/// Names of packages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packages {
    /// Prosody and its Lua modules.
    pub prosody: Vec<&'static str>,
    /// Jitsi's Prosody plugins.
    pub plugins: Vec<&'static str>,
    /// LuaDBI, by which Prosody reads accounts in SQLite.
    pub dbi_sqlite: Vec<&'static str>,
    /// The same in MariaDB.
    pub dbi_mariadb: Vec<&'static str>,
    /// The same in PostgreSQL.
    pub dbi_postgresql: Vec<&'static str>,
    /// Jicofo with its Java.
    pub jicofo: Vec<&'static str>,
    /// The bridge with its Java.
    pub videobridge: Vec<&'static str>,
    /// The web application.
    pub meet: Vec<&'static str>,
    /// nginx.
    pub nginx: Vec<&'static str>,
    /// Caddy.
    pub caddy: Vec<&'static str>,
    /// The account service.
    pub accounts: Vec<&'static str>,
    /// MariaDB.
    pub mariadb: Vec<&'static str>,
    /// PostgreSQL.
    pub postgresql: Vec<&'static str>,
}

impl Packages {
    /// All of them, whatever a site wants.
    pub fn all(&self) -> impl Iterator<Item = &'static str> {
        let Self {
            prosody,
            plugins,
            dbi_sqlite,
            dbi_mariadb,
            dbi_postgresql,
            jicofo,
            videobridge,
            meet,
            nginx,
            caddy,
            accounts,
            mariadb,
            postgresql,
        } = self;
        [
            prosody,
            plugins,
            jicofo,
            videobridge,
            meet,
            nginx,
            caddy,
            accounts,
            mariadb,
            postgresql,
            dbi_sqlite,
            dbi_mariadb,
            dbi_postgresql,
        ]
        .into_iter()
        .flatten()
        .copied()
    }
}
