-- Times are microseconds since 1970 UTC, ids are 16 bytes in the order in which
-- they are written, outcomes are the numbers of `dvsync_model::Outcome`.
-- Read through the views: tables may change between versions.

CREATE TABLE runs (
    run INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    job TEXT NOT NULL,
    mode TEXT NOT NULL,
    target TEXT NOT NULL,
    organization BLOB NOT NULL,
    entity TEXT NOT NULL,
    started INTEGER NOT NULL,
    ended INTEGER,
    status TEXT NOT NULL,
    counts TEXT,                    -- JSON, of an ended run
    requests TEXT,                  -- JSON, of an ended run
    message TEXT,
    rules TEXT NOT NULL             -- JSON
);

CREATE TABLE sources (
    run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
    position INTEGER NOT NULL,
    name TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    modified INTEGER,
    PRIMARY KEY (run, position)
) WITHOUT ROWID;

CREATE TABLE intents (
    intent INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
    at INTEGER NOT NULL,
    request BLOB NOT NULL,
    operation TEXT NOT NULL,
    records INTEGER NOT NULL,
    fate TEXT NOT NULL,
    replied INTEGER,
    landed INTEGER,
    status INTEGER,
    service_request TEXT,
    message TEXT
);
CREATE INDEX intents_by_run ON intents (run);
CREATE INDEX intents_of_unknown_fate ON intents (intent) WHERE fate IN ('open', 'in_doubt');

-- Apart from `intents`, so that a reply does not write them again.
CREATE TABLE intent_records (
    intent INTEGER PRIMARY KEY REFERENCES intents ON DELETE CASCADE,
    ordinals BLOB NOT NULL,
    ids BLOB                        -- absent once a complete run has them in its chunks
);

CREATE TABLE chunks (
    run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
    chunk INTEGER NOT NULL,
    first_ordinal INTEGER,
    last_ordinal INTEGER,
    records INTEGER NOT NULL,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    upserted INTEGER NOT NULL,
    deactivated INTEGER NOT NULL,
    deleted INTEGER NOT NULL,
    unchanged INTEGER NOT NULL,
    dropped INTEGER NOT NULL,
    deferred INTEGER NOT NULL,
    dead_lettered INTEGER NOT NULL,
    judgement TEXT,
    next TEXT NOT NULL,             -- JSON
    outcomes BLOB NOT NULL,         -- zstd: ordinal, outcome, id of each row
    UNIQUE (run, chunk)
);

CREATE TABLE letters (
    letter INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
    ordinal INTEGER NOT NULL,
    outcome INTEGER NOT NULL,
    file TEXT NOT NULL,
    line INTEGER NOT NULL,
    key TEXT,
    code TEXT NOT NULL,
    column_name TEXT,
    message TEXT NOT NULL,
    hint TEXT,
    id BLOB,
    landed_partially INTEGER NOT NULL,
    source_row TEXT                 -- JSON
);
CREATE INDEX letters_by_run ON letters (run);

CREATE VIEW v_runs AS
SELECT id AS run, job, mode, target, entity,
    strftime('%Y-%m-%dT%H:%M:%fZ', started / 1000000.0, 'unixepoch') AS started,
    strftime('%Y-%m-%dT%H:%M:%fZ', ended / 1000000.0, 'unixepoch') AS ended,
    status, counts, requests, message, rules
FROM runs;

CREATE VIEW v_outcomes AS
SELECT runs.id AS run, chunk, first_ordinal, last_ordinal, records,
    created, updated, upserted, deactivated, deleted, unchanged, dropped, deferred, dead_lettered,
    judgement
FROM chunks JOIN runs USING (run);

CREATE VIEW v_letters AS
SELECT runs.id AS run, ordinal,
    CASE outcome WHEN 5 THEN 'unchanged' WHEN 6 THEN 'dropped' WHEN 7 THEN 'deferred'
        WHEN 8 THEN 'dead_lettered' ELSE outcome END AS outcome,
    file, line, key, code, column_name AS "column", letters.message, hint,
    lower(substr(hex(letters.id), 1, 8) || '-' || substr(hex(letters.id), 9, 4) || '-'
        || substr(hex(letters.id), 13, 4) || '-' || substr(hex(letters.id), 17, 4) || '-'
        || substr(hex(letters.id), 21)) AS id,
    landed_partially, source_row
FROM letters JOIN runs USING (run);

CREATE VIEW v_intents AS
SELECT runs.id AS run,
    strftime('%Y-%m-%dT%H:%M:%fZ', at / 1000000.0, 'unixepoch') AS at,
    lower(hex(request)) AS request, operation, records, fate,
    strftime('%Y-%m-%dT%H:%M:%fZ', replied / 1000000.0, 'unixepoch') AS replied,
    landed, intents.status, service_request, intents.message
FROM intents JOIN runs USING (run);
