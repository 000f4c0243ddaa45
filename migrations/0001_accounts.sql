-- The first tables, in SQLite's words. `src/account/store/migrate.rs` says them again for the other kinds:
-- PostgreSQL compares texts byte by byte (COLLATE "C"), MariaDB gets utf8mb4_bin and InnoDB, both do without
-- WITHOUT ROWID. A statement ends with `;` at the end of a line; `--@ KIND` before it: for that kind only.
-- Times are Unix seconds, in `audit` milliseconds. Tokens, sessions and codes are kept as SHA-256.

CREATE TABLE accounts (
    id VARCHAR(40) NOT NULL,
    login VARCHAR(64) NOT NULL,
    login_skeleton VARCHAR(190) NOT NULL,
    email VARCHAR(190),
    email_key VARCHAR(190),
    email_order VARCHAR(190) NOT NULL,
    display_name VARCHAR(190) NOT NULL,
    state VARCHAR(16) NOT NULL,
    role VARCHAR(16) NOT NULL,
    language VARCHAR(16) NOT NULL,
    origin VARCHAR(16) NOT NULL,
    reason TEXT NOT NULL,
    created BIGINT NOT NULL,
    state_since BIGINT NOT NULL,
    last_seen BIGINT NOT NULL,
    password TEXT NOT NULL,
    scram_sha_1 TEXT,
    scram_sha_256 TEXT,
    totp_seed TEXT,
    totp_step BIGINT NOT NULL,
    stamp VARCHAR(64) NOT NULL,
    class SMALLINT NOT NULL,
    search TEXT NOT NULL,
    PRIMARY KEY (id)
);
CREATE UNIQUE INDEX accounts_login ON accounts (login);
CREATE UNIQUE INDEX accounts_login_skeleton ON accounts (login_skeleton);
CREATE UNIQUE INDEX accounts_email_key ON accounts (email_key);
-- One index for each order of the list of users, below the class: state, role, origin and second factor in
-- one number, so that any combination of filters is a few ranges read in order.
CREATE INDEX accounts_by_login ON accounts (class, login, id);
CREATE INDEX accounts_by_email ON accounts (class, email_order, id);
CREATE INDEX accounts_by_created ON accounts (class, created, id);
CREATE INDEX accounts_by_seen ON accounts (class, last_seen, id);

-- What the search finds: the beginnings of words in logins, addresses and names.
CREATE TABLE words (
    word VARCHAR(48) NOT NULL,
    account VARCHAR(40) NOT NULL,
    PRIMARY KEY (word, account),
    FOREIGN KEY (account) REFERENCES accounts (id) ON DELETE CASCADE
) WITHOUT ROWID;
CREATE INDEX words_account ON words (account);

CREATE TABLE account_groups (
    id VARCHAR(40) NOT NULL,
    name VARCHAR(100) NOT NULL,
    description TEXT NOT NULL,
    created BIGINT NOT NULL,
    PRIMARY KEY (id)
);
CREATE UNIQUE INDEX account_groups_name ON account_groups (name);

CREATE TABLE memberships (
    account VARCHAR(40) NOT NULL,
    grp VARCHAR(40) NOT NULL,
    PRIMARY KEY (account, grp),
    FOREIGN KEY (account) REFERENCES accounts (id) ON DELETE CASCADE,
    FOREIGN KEY (grp) REFERENCES account_groups (id) ON DELETE CASCADE
) WITHOUT ROWID;
CREATE INDEX memberships_grp ON memberships (grp, account);

CREATE TABLE tokens (
    hash VARCHAR(64) NOT NULL,
    purpose VARCHAR(16) NOT NULL,
    account VARCHAR(40) NOT NULL,
    data TEXT NOT NULL,
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    used BIGINT,
    PRIMARY KEY (hash),
    FOREIGN KEY (account) REFERENCES accounts (id) ON DELETE CASCADE
) WITHOUT ROWID;
CREATE INDEX tokens_account ON tokens (account, purpose);
CREATE INDEX tokens_expires ON tokens (expires);

CREATE TABLE sessions (
    hash VARCHAR(64) NOT NULL,
    account VARCHAR(40) NOT NULL,
    created BIGINT NOT NULL,
    seen BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    fresh_at BIGINT NOT NULL,
    second_factor SMALLINT NOT NULL,
    address VARCHAR(64) NOT NULL,
    agent VARCHAR(200) NOT NULL,
    PRIMARY KEY (hash),
    FOREIGN KEY (account) REFERENCES accounts (id) ON DELETE CASCADE
) WITHOUT ROWID;
CREATE INDEX sessions_account ON sessions (account, seen);
CREATE INDEX sessions_expires ON sessions (expires);

CREATE TABLE recovery_codes (
    account VARCHAR(40) NOT NULL,
    hash VARCHAR(64) NOT NULL,
    created BIGINT NOT NULL,
    used BIGINT,
    PRIMARY KEY (account, hash),
    FOREIGN KEY (account) REFERENCES accounts (id) ON DELETE CASCADE
) WITHOUT ROWID;

CREATE TABLE invites (
    hash VARCHAR(64) NOT NULL,
    label VARCHAR(190) NOT NULL,
    grp VARCHAR(40),
    uses_left BIGINT NOT NULL,
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    created_by VARCHAR(40),
    PRIMARY KEY (hash),
    FOREIGN KEY (grp) REFERENCES account_groups (id) ON DELETE SET NULL
);
CREATE INDEX invites_created ON invites (created);

CREATE TABLE notes (
    id VARCHAR(40) NOT NULL,
    account VARCHAR(40) NOT NULL,
    author VARCHAR(190) NOT NULL,
    at BIGINT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY (account) REFERENCES accounts (id) ON DELETE CASCADE
);
CREATE INDEX notes_account ON notes (account, id);

CREATE TABLE audit (
    id VARCHAR(40) NOT NULL,
    at BIGINT NOT NULL,
    actor VARCHAR(40),
    actor_name VARCHAR(190) NOT NULL,
    address VARCHAR(64) NOT NULL,
    agent VARCHAR(200) NOT NULL,
    action VARCHAR(64) NOT NULL,
    target VARCHAR(40),
    target_name VARCHAR(190) NOT NULL,
    outcome VARCHAR(16) NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (id)
) WITHOUT ROWID;
CREATE INDEX audit_target ON audit (target, id);
CREATE INDEX audit_target_name ON audit (target_name, id);
CREATE INDEX audit_actor_name ON audit (actor_name, id);
CREATE INDEX audit_action ON audit (action, id);
CREATE INDEX audit_outcome ON audit (outcome, id);
--@ sqlite
CREATE TRIGGER audit_stays BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit trail is never changed'); END;
--@ postgres
CREATE FUNCTION audit_stays() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''the audit trail is never changed''; END';
--@ postgres
CREATE TRIGGER audit_stays BEFORE UPDATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION audit_stays();

CREATE TABLE outbox (
    id VARCHAR(40) NOT NULL,
    kind VARCHAR(16) NOT NULL,
    recipient VARCHAR(190) NOT NULL,
    body TEXT NOT NULL,
    created BIGINT NOT NULL,
    next_try BIGINT NOT NULL,
    tries BIGINT NOT NULL,
    state VARCHAR(16) NOT NULL,
    error TEXT NOT NULL,
    lease VARCHAR(64) NOT NULL,
    lease_until BIGINT NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX outbox_next ON outbox (state, next_try, id);

CREATE TABLE limits (
    name VARCHAR(190) NOT NULL,
    hits BIGINT NOT NULL,
    until BIGINT NOT NULL,
    PRIMARY KEY (name)
) WITHOUT ROWID;
CREATE INDEX limits_until ON limits (until);

CREATE TABLE settings (
    name VARCHAR(100) NOT NULL,
    value TEXT NOT NULL,
    changed BIGINT NOT NULL,
    changed_by VARCHAR(190) NOT NULL,
    PRIMARY KEY (name)
);

-- What Prosody reads, and nothing else.
CREATE VIEW prosody_login AS
    SELECT login AS username, CASE WHEN state = 'active' THEN 1 ELSE 0 END AS enabled, password, scram_sha_1, scram_sha_256
    FROM accounts WHERE state <> 'deleted';
