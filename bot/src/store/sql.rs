//! Every statement the store sends, in one place, so that one test can check them all against the schema.

macro_rules! statements {
    ($($name:ident = $text:literal;)*) => {
        $(pub(super) const $name: &str = $text;)*
        #[cfg(test)]
        const ALL: &[(&str, &str)] = &[$((stringify!($name), $text)),*];
    };
}

statements! {
    HAS_SCHEMA_STEPS = "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE name = '_sqlx_migrations')";
    SCHEMA_NEWEST_STEP = "SELECT coalesce(max(version), 0) FROM _sqlx_migrations";

    INBOX_PUT = "INSERT INTO inbox (delivery_key, body, received_at, reply) VALUES ($1, $2, $3, $4) ON CONFLICT (delivery_key) DO NOTHING";
    INBOX_NEXT = "SELECT id, body, attempts FROM inbox WHERE consumed_at IS NULL ORDER BY id LIMIT 1";
    INBOX_CONSUME = "UPDATE inbox SET consumed_at = $2, problem = $3, reply = NULL WHERE id = $1";
    INBOX_UNANSWERED = "SELECT reply FROM inbox i WHERE id = $1 AND reply IS NOT NULL AND NOT EXISTS (SELECT 1 FROM messages m WHERE m.reply = i.reply)";
    INBOX_REPLY = "SELECT reply FROM inbox WHERE id = $1";
    INBOX_REWRITE = "UPDATE inbox SET body = $2 WHERE id = $1";
    INBOX_FAILED_ONCE = "UPDATE inbox SET attempts = attempts + 1 WHERE id = $1";
    INBOX_WAITING = "SELECT count(*) FROM inbox WHERE consumed_at IS NULL";
    INBOX_FORGET = "DELETE FROM inbox WHERE consumed_at < $1 AND problem IS NULL";

    RELEASE_INSERT = "INSERT INTO releases (id, service, environment, phase, state, event_count, asked_at) VALUES ($1, $2, $3, $4, $5, 0, $6)";
    RELEASE_SAVE = "UPDATE releases SET phase = $2, state = $3, event_count = event_count + 1, started_at = $4, ended_at = $5 WHERE id = $1 RETURNING event_count";
    RELEASE_GET = "SELECT state, event_count FROM releases WHERE id = $1";
    RELEASES_BY_PREFIX = "SELECT state, event_count FROM releases WHERE id IN (SELECT id FROM releases WHERE id >= $1 AND id < $2 ORDER BY ended_at IS NOT NULL, id DESC LIMIT $3) ORDER BY ended_at IS NOT NULL, id DESC";
    RELEASES_OPEN = "SELECT state, event_count, id FROM releases WHERE ended_at IS NULL ORDER BY id LIMIT $1";
    RELEASES_STARTED = "SELECT state, event_count FROM releases WHERE service = $1 AND environment = $2 AND started_at >= $3 ORDER BY started_at DESC LIMIT $4";
    RELEASES_NEWEST = "SELECT state, event_count FROM releases WHERE service = $1 AND environment = $2 ORDER BY asked_at DESC, id DESC LIMIT $3";
    RELEASES_SUCCEEDED = "SELECT state, event_count FROM releases WHERE service = $1 AND environment = $2 AND phase = 'succeeded' AND state ->> '$.outcome.outcome' = 'live' AND state ->> '$.request.kind.kind' <> 'config' ORDER BY ended_at DESC, id DESC LIMIT $3";
    RELEASE_FIRST_DEPLOYED = "SELECT state, event_count FROM releases WHERE service = $1 AND environment = $2 AND started_at IS NOT NULL AND (state ->> '$.operation' IS NOT NULL OR state ->> '$.target' > 0) ORDER BY started_at, id LIMIT 1";
    RELEASE_DURATIONS = "SELECT ended_at - started_at FROM releases WHERE service = $1 AND environment = $2 AND phase = 'succeeded' AND state ->> '$.outcome.outcome' = 'live' AND started_at IS NOT NULL ORDER BY ended_at DESC LIMIT $3";
    RELEASE_DURATIONS_ELSEWHERE = "SELECT ended_at - started_at FROM releases WHERE service = $1 AND environment <> $2 AND phase = 'succeeded' AND state ->> '$.outcome.outcome' = 'live' AND started_at IS NOT NULL ORDER BY ended_at DESC LIMIT $3";
    RELEASE_KNOWN_BAD = "SELECT state, event_count FROM releases WHERE service = $1 AND state ->> '$.commit' = $2 AND state ->> '$.known_bad.by' IS NOT NULL ORDER BY id DESC LIMIT 1";
    EVENT_INSERT = "INSERT INTO release_events (release, seq, at, event) VALUES ($1, $2, $3, $4)";
    EVENTS_OF = "SELECT event FROM release_events WHERE release = $1 ORDER BY seq";

    ENVIRONMENT_GET = "SELECT state FROM environments WHERE service = $1 AND environment = $2";
    ENVIRONMENT_PUT = "INSERT INTO environments (service, environment, state, due_at) VALUES ($1, $2, $3, $4) ON CONFLICT (service, environment) DO UPDATE SET state = excluded.state, due_at = excluded.due_at";
    ENVIRONMENT_NOT_DUE = "UPDATE environments SET due_at = NULL WHERE service = $1 AND environment = $2";
    ENVIRONMENTS_DUE = "SELECT service, environment, due_at FROM environments WHERE due_at <= $1 ORDER BY due_at LIMIT $2";

    EFFECT_INSERT = "INSERT INTO effects (release, kind, body, not_before, created_at) VALUES ($1, $2, $3, $4, $5)";
    EFFECTS_LEASE = "UPDATE effects SET state = 'leased', lease_owner = $1 || '/' || (attempts + 1), lease_until = $2, attempts = attempts + 1 WHERE id IN (SELECT id FROM effects WHERE ((state = 'pending' AND not_before <= $3) OR (state = 'leased' AND lease_until <= $3)) AND id NOT IN (SELECT value FROM json_each($5)) ORDER BY not_before, id LIMIT $4) RETURNING id, release, body, attempts, failures, intent, created_at, lease_owner";
    EFFECT_RENEW = "UPDATE effects SET lease_until = $3 WHERE id = $1 AND lease_owner = $2 AND state = 'leased'";
    EFFECT_INTENT = "UPDATE effects SET intent = $3 WHERE id = $1 AND lease_owner = $2 AND state = 'leased'";
    EFFECT_DONE = "UPDATE effects SET state = 'done', lease_owner = NULL, lease_until = NULL WHERE id = $1 AND lease_owner = $2 AND state = 'leased'";
    EFFECT_AGAIN = "UPDATE effects SET state = 'pending', lease_owner = NULL, lease_until = NULL, not_before = $3, failures = $4 WHERE id = $1 AND lease_owner = $2 AND state = 'leased'";
    EFFECTS_ABANDON = "UPDATE effects SET state = 'abandoned', lease_owner = NULL, lease_until = NULL WHERE release = $1 AND state IN ('pending', 'leased') AND kind NOT IN ('tell', 'announce', 'promote', 'report', 'remove_tag') RETURNING id, kind, intent IS NOT NULL AND intent <> 'null'";
    EFFECTS_TAKE_OVER = "UPDATE effects SET state = 'pending', lease_owner = NULL, lease_until = NULL WHERE state = 'leased'";
    EFFECT_NEXT_DUE = "SELECT min(CASE state WHEN 'pending' THEN not_before ELSE lease_until END) FROM effects WHERE state IN ('pending', 'leased') AND id NOT IN (SELECT value FROM json_each($1))";
    EFFECTS_BEGUN = "SELECT count(*) FROM effects WHERE release = $1 AND kind = $2 AND intent IS NOT NULL AND intent <> 'null'";
    CARDS_REFRESH = "UPDATE messages SET wanted = wanted + 1 WHERE body IS NULL AND wanted = published AND thread_of IS NULL AND channel LIKE $1 || ':%' AND release IN (SELECT coalesce(state ->> '$.request.together.all[0]', id) FROM releases WHERE phase IN ('running', 'planning')) AND external_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM messages b WHERE b.channel LIKE $1 || ':%' AND b.wanted > b.published AND b.external_id IS NOT NULL)";

    MESSAGE_PUT = "INSERT INTO messages (channel, key, release, only_for, body, thread_of, reply) VALUES ($1, $2, $3, $4, $5, $6, (SELECT reply FROM inbox WHERE id = $7)) ON CONFLICT (channel, key) DO NOTHING";
    MESSAGES_TOUCH = "UPDATE messages SET wanted = wanted + 1 WHERE release = $1 AND body IS NULL AND (thread_of IS NULL OR $2)";
    MESSAGES_TOUCH_COMMIT = "UPDATE messages SET wanted = wanted + 1 WHERE body IS NULL AND thread_of IS NULL AND release IN (SELECT coalesce(state ->> '$.request.together.all[0]', id) FROM releases WHERE service = $1 AND state ->> '$.commit' = $2 ORDER BY id DESC LIMIT $3)";
    MESSAGE_NOT_YET = "UPDATE messages SET wanted = 0 WHERE channel = $1 AND key = $2 AND published = 0";
    MESSAGE_CHANNELS = "SELECT channel FROM messages WHERE key = $1 ORDER BY channel LIMIT $2";
    MESSAGE_NOW = "UPDATE messages SET body = $3, wanted = wanted + 1 WHERE channel = $1 AND key = $2";
    LOOKUPS_WAITING = "SELECT count(*) FROM lookups";
    LOOKUP_PUT = "INSERT INTO lookups (channel, key, question, asked_at) VALUES ($1, $2, $3, $4)";
    LOOKUPS = "SELECT id, channel, key, question FROM lookups ORDER BY id LIMIT $1";
    LOOKUP_DONE = "DELETE FROM lookups WHERE id = $1";
    MESSAGES_DUE = "SELECT id, channel, key, release, only_for, body, wanted, external_id, failures, thread_of, reply, posting_since, posted_again, (SELECT p.external_id FROM messages p WHERE p.channel = m.channel AND p.key = m.thread_of) FROM messages m WHERE wanted > published AND not_before <= $1 AND channel LIKE $3 || '%' AND channel NOT IN (SELECT value FROM json_each($4)) AND (external_id IS NOT NULL OR only_for IS NOT NULL OR ((thread_of IS NULL OR EXISTS (SELECT 1 FROM messages p WHERE p.channel = m.channel AND p.key = m.thread_of AND p.external_id IS NOT NULL)) AND NOT EXISTS (SELECT 1 FROM messages b INDEXED BY messages_behind WHERE b.channel = m.channel AND b.id < m.id AND b.wanted > b.published AND b.external_id IS NULL AND b.only_for IS NULL AND b.thread_of IS NULL AND b.not_before > $1))) ORDER BY id LIMIT $2";
    MESSAGE_POSTING = "UPDATE messages SET posting_since = $2 WHERE id = $1";
    MESSAGE_GOES_ON = "INSERT INTO earlier_messages (channel, external_id, key) SELECT channel, external_id, key FROM messages WHERE id = $1 AND external_id IS NOT NULL AND external_id <> $2 ON CONFLICT (channel, external_id) DO NOTHING";
    MESSAGE_LEADS_ON = "INSERT INTO messages (channel, key, body, external_id) SELECT channel, $3 || external_id, $4, external_id FROM messages WHERE id = $1 AND external_id IS NOT NULL AND external_id <> $2 ON CONFLICT (channel, key) DO NOTHING";
    MESSAGE_IS_EARLIER = "SELECT count(*) FROM earlier_messages WHERE channel = $1 AND external_id = $2";
    MESSAGE_PUBLISHED = "UPDATE messages SET published = $2, external_id = $3, shown_at = CASE WHEN shown_plan IS $4 THEN shown_at ELSE $5 END, shown_plan = $4, failures = 0, posting_since = NULL, reply = NULL WHERE id = $1";
    MESSAGE_LATER = "UPDATE messages SET not_before = $2, failures = failures + 1, posting_since = CASE WHEN $3 THEN posting_since END WHERE id = $1";
    MESSAGE_PACED = "UPDATE messages SET not_before = $2 WHERE id = $1";
    MESSAGE_GONE = "UPDATE messages SET external_id = NULL, posting_since = NULL, shown_plan = NULL, posted_again = posted_again + 1 WHERE id = $1";
    MESSAGE_THREAD_GONE = "UPDATE messages SET external_id = NULL, posting_since = NULL, published = 0 WHERE channel = (SELECT channel FROM messages WHERE id = $1) AND thread_of = (SELECT key FROM messages WHERE id = $1)";
    MESSAGE_GIVE_UP = "UPDATE messages SET published = $2, failures = 0, reply = NULL WHERE id = $1";
    MESSAGE_THREAD_GIVE_UP = "UPDATE messages SET published = wanted, failures = 0 WHERE external_id IS NULL AND channel = (SELECT channel FROM messages WHERE id = $1) AND thread_of = (SELECT key FROM messages WHERE id = $1)";
    MESSAGE_LOST = "UPDATE messages SET shown_plan = NULL WHERE id = $1";
    MESSAGES_NEXT_DUE = "SELECT min(not_before) FROM messages m WHERE wanted > published AND channel LIKE $2 || '%' AND channel NOT IN (SELECT value FROM json_each($3)) AND (external_id IS NOT NULL OR only_for IS NOT NULL OR ((thread_of IS NULL OR EXISTS (SELECT 1 FROM messages p WHERE p.channel = m.channel AND p.key = m.thread_of AND p.external_id IS NOT NULL)) AND NOT EXISTS (SELECT 1 FROM messages b INDEXED BY messages_behind WHERE b.channel = m.channel AND b.id < m.id AND b.wanted > b.published AND b.external_id IS NULL AND b.only_for IS NULL AND b.thread_of IS NULL AND b.not_before > $1)))";
    MESSAGE_SHOWN_PLAN = "SELECT shown_plan, shown_at FROM messages WHERE channel = $1 AND release = $2 AND body IS NULL AND thread_of IS NULL AND shown_plan IS NOT NULL";
    MESSAGE_RELEASE = "SELECT release FROM messages WHERE channel = $1 AND (key = $2 OR external_id = $2 OR key = (SELECT key FROM earlier_messages WHERE channel = $1 AND external_id = $2)) AND body IS NULL AND thread_of IS NULL AND release IS NOT NULL";
    MESSAGE_ABOUT = "SELECT release FROM messages WHERE channel = $1 AND (key = $2 OR external_id = $2) AND release IS NOT NULL";
    CARD_PLACE = "SELECT channel, external_id FROM messages WHERE release = $1 AND channel LIKE $2 || ':%' AND channel NOT LIKE '%@%' AND body IS NULL AND thread_of IS NULL AND external_id IS NOT NULL ORDER BY id LIMIT 1";
    MESSAGES_OF_WAITING = "WITH cards AS (SELECT m.id, m.channel, m.key, m.external_id FROM messages m WHERE m.channel LIKE $1 || ':%' AND m.body IS NULL AND m.thread_of IS NULL AND m.external_id IS NOT NULL AND m.release IN (SELECT coalesce(state ->> '$.request.together.all[0]', id) FROM releases WHERE ended_at IS NULL AND phase <> 'running')) SELECT channel, external_id FROM (SELECT id, channel, external_id FROM cards UNION ALL SELECT c.id, c.channel, e.external_id FROM cards c JOIN earlier_messages e ON e.channel = c.channel AND e.key = c.key) ORDER BY id DESC LIMIT $2";
    HOME_TOUCH = "UPDATE messages SET wanted = wanted + 1 WHERE channel = $1 AND key = $2";
    HOME_WANTED = "INSERT INTO messages (channel, key) VALUES ($1, $2) ON CONFLICT (channel, key) DO UPDATE SET wanted = wanted + 1";

    REACTION_SEEN = "INSERT INTO reactions (channel, message, identity, stance, name, added, at) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (channel, message, identity, stance, name) DO UPDATE SET added = excluded.added, at = excluded.at WHERE excluded.at > reactions.at RETURNING 1";
    REACTION_STANDS = "SELECT count(*) FROM reactions WHERE channel = $1 AND message = $2 AND identity = $3 AND stance = $4 AND added = 1";
    REACTION_STANDS_ON_RELEASE = "SELECT count(*) FROM messages m JOIN reactions r ON r.channel = m.channel AND r.message IN (SELECT m.external_id UNION ALL SELECT m.key UNION ALL SELECT e.external_id FROM earlier_messages e WHERE e.channel = m.channel AND e.key = m.key) WHERE m.release = $1 AND m.thread_of IS NULL AND m.body IS NULL AND r.identity = $2 AND r.stance = $3 AND r.added = 1";
    REACTIONS_OF = "SELECT identity, stance, name FROM reactions WHERE channel = $1 AND message = $2 AND added = 1";

    GATEWAY_SESSION = "SELECT session, seq, resume_url FROM gateway_sessions WHERE platform = $1 AND application = $2";
    GATEWAY_SESSION_PUT = "INSERT INTO gateway_sessions (platform, application, session, seq, resume_url) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (platform) DO UPDATE SET application = excluded.application, session = excluded.session, seq = excluded.seq, resume_url = excluded.resume_url";
    GATEWAY_SESSION_OVER = "DELETE FROM gateway_sessions WHERE platform = $1";

    AUDIT_LAST = "SELECT seq, CAST(record AS BLOB) FROM audit ORDER BY seq DESC LIMIT 1";
    AUDIT_INSERT = "INSERT INTO audit (seq, record) VALUES ($1, $2)";
    AUDIT_ROWS = "SELECT seq, substr(CAST(record AS BLOB), 1, $3) FROM audit WHERE seq >= $1 ORDER BY seq LIMIT $2";
    AUDIT_ANCHOR_OF = "SELECT count FROM audit_anchors WHERE day = $1";
    AUDIT_ANCHOR_LAST = "SELECT day, count FROM audit_anchors ORDER BY count DESC, day DESC LIMIT 1";
    AUDIT_ANCHOR_PUT = "INSERT INTO audit_anchors (day, count) VALUES ($1, $2) ON CONFLICT (day) DO NOTHING";
    STRANGER_CAME = "INSERT INTO audit_strangers (hour, who, times) VALUES ($1, $2, 1) ON CONFLICT (hour, who) DO UPDATE SET times = times + 1 RETURNING times";
    STRANGERS_IN = "SELECT count(CASE WHEN who = $2 THEN 1 END), count(*) FROM audit_strangers WHERE hour = $1";
    STRANGERS_HOUR_BEFORE = "SELECT min(hour) FROM audit_strangers WHERE hour < $1";
    STRANGERS_TAKE = "DELETE FROM audit_strangers WHERE hour = $1 RETURNING who, times";

    POLICY_VERSION_PUT = "INSERT INTO policy_versions (hash, text, source, revision, authors, asked_by, loaded_at, anonymous) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING seq";
    POLICY_VERSIONS_FORGET = "DELETE FROM policy_versions WHERE seq <= $1";
    POLICY_VERSION_GET = "SELECT seq, hash, text, source, revision, authors, asked_by, in_force_since, anonymous FROM policy_versions WHERE seq = $1";
    POLICY_VERSION_IN_FORCE = "UPDATE policy_versions SET in_force_since = $2 WHERE seq = $1";
    POLICY_VERSION_NEWEST = "SELECT seq, hash, text, source, revision, authors, asked_by, in_force_since, anonymous FROM policy_versions ORDER BY seq DESC LIMIT 1";
    POLICY_VERSIONS = "SELECT seq, hash, text, source, revision, authors, asked_by, in_force_since, anonymous FROM policy_versions WHERE in_force_since IS NOT NULL ORDER BY seq DESC LIMIT $1";

    LINKS_ALL = "SELECT identity, person, linked_at, confirmed_by FROM links ORDER BY linked_at, identity LIMIT $1";
    LINK_PUT = "INSERT INTO links (identity, person, platform, linked_at, confirmed_by) VALUES ($1, $2, $3, $4, $5)";
    LINK_REMOVE = "DELETE FROM links WHERE person = $1 AND platform = $2 RETURNING identity, person, linked_at, confirmed_by";
    LINK_CODE_PUT = "INSERT INTO link_codes (person, code, state) VALUES ($1, $2, $3) ON CONFLICT (person) DO UPDATE SET code = excluded.code, state = excluded.state";
    LINK_CODE_FIND = "SELECT state FROM link_codes WHERE code = $1";
    LINK_CODE_OF = "SELECT state FROM link_codes WHERE person = $1";
    LINK_CODE_FORGET = "DELETE FROM link_codes WHERE person = $1";
    LINK_TRIES_FORGET = "DELETE FROM link_tries WHERE at <= $1";
    LINK_TRIES_SINCE = "SELECT count(*) FROM link_tries WHERE identity = $1 AND at > $2";
    LINK_TRY_PUT = "INSERT INTO link_tries (identity, at) VALUES ($1, $2)";

    MEMBERSHIP_GET = "SELECT members, seen_at, trouble FROM memberships WHERE source = $1";
    MEMBERSHIP_PUT = "INSERT INTO memberships (source, members, seen_at, trouble) VALUES ($1, $2, $3, $4) ON CONFLICT (source) DO UPDATE SET members = excluded.members, seen_at = excluded.seen_at, trouble = excluded.trouble";

    CONFIGURATION_GET = "SELECT ran_with, seen, seen_at FROM configurations WHERE service = $1 AND environment = $2";
    CONFIGURATION_RAN = "INSERT INTO configurations (service, environment, ran_with) VALUES ($1, $2, $3) ON CONFLICT (service, environment) DO UPDATE SET ran_with = excluded.ran_with";
    CONFIGURATION_SEEN = "INSERT INTO configurations (service, environment, seen, seen_at) VALUES ($1, $2, $3, $4) ON CONFLICT (service, environment) DO UPDATE SET seen = excluded.seen, seen_at = excluded.seen_at WHERE configurations.seen_at IS NULL OR excluded.seen_at >= configurations.seen_at";

    TERMINAL_PUT = "INSERT INTO terminal_messages (seq, channel, key, only_for, body) VALUES ((SELECT coalesce(max(seq), 0) + 1 FROM terminal_messages), $1, $2, $3, $4) ON CONFLICT (channel, key) DO UPDATE SET seq = (SELECT coalesce(max(seq), 0) + 1 FROM terminal_messages), body = excluded.body";
    GITHUB_HEARD_PUT = "INSERT INTO github_heard (repository, at) VALUES ($1, $2) ON CONFLICT (repository) DO UPDATE SET at = max(github_heard.at, excluded.at)";
    GITHUB_HEARD = "SELECT at FROM github_heard WHERE repository = $1";
    BUILDS_WAKE = "UPDATE effects SET not_before = $2 WHERE state = 'pending' AND failures = 0 AND not_before > $2 AND kind IN ('await_build', 'dispatch', 'await_pull') AND release IN (SELECT id FROM releases WHERE service = $1 AND ended_at IS NULL)";
    EFFECTS_BEFORE = "SELECT count(*) FROM effects WHERE release = $1 AND kind = $2 AND id < $3 AND state IN ('pending', 'leased')";

    TERMINAL_SINCE = "SELECT seq, channel, key, only_for, body FROM terminal_messages WHERE seq > $1 ORDER BY seq LIMIT $2";

    RELEASES_OPEN_AT = "SELECT state, event_count FROM releases WHERE service = $1 AND environment = $2 AND ended_at IS NULL ORDER BY id LIMIT $3";
    FLOW_GET = "SELECT state FROM flows WHERE service = $1 AND environment = $2";
    FLOW_PUT = "INSERT INTO flows (service, environment, state, due_at) VALUES ($1, $2, $3, $4) ON CONFLICT (service, environment) DO UPDATE SET state = excluded.state, due_at = excluded.due_at";
    FLOWS_DUE = "SELECT service, environment, due_at FROM flows WHERE due_at <= $1 ORDER BY due_at LIMIT $2";
    FLOW_BEGINS = "INSERT INTO flow_begun (service, environment, commit_sha, pauses, release) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (service, environment, commit_sha, pauses) DO NOTHING";

    DRY_GET = "SELECT image, operation, began_at FROM dry_targets WHERE name = $1";
    INTENT_PUT = "INSERT INTO intents (id, service, environment, requester, condition, state, asked_at, due_at, look_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    INTENT_END = "UPDATE intents SET state = $2, release = $3, due_at = NULL, look_at = NULL WHERE id = $1 AND due_at IS NOT NULL";
    INTENT_SAVE = "UPDATE intents SET state = $2, due_at = $3 WHERE id = $1 AND due_at IS NOT NULL";
    INTENT_GIVE_UP = "UPDATE intents SET due_at = NULL, look_at = NULL WHERE id = $1 AND due_at IS NOT NULL RETURNING service, environment, requester";
    INTENT_GET = "SELECT state FROM intents WHERE id = $1";
    INTENTS_BY_PREFIX = "SELECT state FROM intents WHERE id >= $1 AND id < $2 ORDER BY id LIMIT 2";
    INTENTS_WAITING = "SELECT state FROM intents WHERE due_at IS NOT NULL ORDER BY id LIMIT $1";
    INTENTS_BEHIND_LOCK = "SELECT id FROM intents WHERE due_at IS NOT NULL AND condition = 'unlocked' AND service = $1 AND environment = $2 ORDER BY id";
    INTENTS_COUNT = "SELECT count(CASE WHEN service = $1 AND environment = $2 THEN 1 END), count(CASE WHEN requester = $3 THEN 1 END) FROM intents WHERE due_at IS NOT NULL";
    INTENTS_DUE = "SELECT id, due_at FROM intents WHERE due_at <= $1 ORDER BY due_at LIMIT $2";
    INTENTS_TO_LOOK_AT = "SELECT state, id FROM intents WHERE look_at <= $1 ORDER BY look_at LIMIT $2";
    INTENT_LOOK_AT = "UPDATE intents SET look_at = $2 WHERE id = $1 AND look_at IS NOT NULL";
    INTENTS_WAKE = "UPDATE intents SET look_at = $2 WHERE service = $1 AND look_at > $2";
    INTENT_SAYS = "UPDATE messages SET body = $2, wanted = wanted + 1 WHERE key = $1 AND key >= 'intent/' AND key < 'intent0'";

    DRY_PUT = "INSERT INTO dry_targets (name, image, operation, began_at) VALUES ($1, $2, $3, $4) ON CONFLICT (name) DO UPDATE SET image = excluded.image, operation = excluded.operation, began_at = excluded.began_at";

    PROMOTIONS_OF = "SELECT id, service, environment, state FROM promotions WHERE service = $1 AND environment = $2 AND (open = 1 OR \"commit\" = $3) ORDER BY id DESC LIMIT $4";
    PROMOTION_GET = "SELECT id, service, environment, state FROM promotions WHERE id = $1";
    PROMOTION_PUT = "INSERT INTO promotions (service, environment, \"commit\", open, state) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (service, environment, \"commit\") DO UPDATE SET open = excluded.open, state = excluded.state RETURNING id";
}

#[cfg(test)]
mod tests {
    use super::ALL;
    use sqlx::Executor as _;

    /// A statement that names a table or column that is not there cannot be prepared.
    #[tokio::test]
    async fn every_statement_fits_the_schema() {
        let pool = sqlx::sqlite::SqlitePoolOptions::new().max_connections(1).connect("sqlite::memory:").await.unwrap();
        sqlx::migrate!("../migrations/sqlite").run(&pool).await.unwrap();
        for (name, text) in ALL {
            if let Err(error) = pool.prepare(sqlx::AssertSqlSafe(*text).into_sql_str()).await {
                panic!("{name}: {error}");
            }
        }
    }

    use sqlx::SqlSafeStr as _;
}
