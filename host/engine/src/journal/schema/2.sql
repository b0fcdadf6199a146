-- Doubts with an end, deferrals that are tried again, letters with a history.

ALTER TABLE runs ADD COLUMN kind TEXT NOT NULL DEFAULT 'run';
ALTER TABLE runs ADD COLUMN alive INTEGER;      -- last sign of life of its process

ALTER TABLE intents ADD COLUMN until INTEGER;   -- in doubt: the service may still commit it
ALTER TABLE intent_records ADD COLUMN keys BLOB; -- match keys, of records without an id

ALTER TABLE chunks ADD COLUMN start TEXT;       -- JSON: where the chunk begins
CREATE INDEX chunks_by_ordinal ON chunks (run, first_ordinal);

ALTER TABLE letters ADD COLUMN chunk INTEGER;
ALTER TABLE letters ADD COLUMN key_hash BLOB;
ALTER TABLE letters ADD COLUMN until INTEGER;   -- deferred: not tried again before; absent: by another run
ALTER TABLE letters ADD COLUMN attempts INTEGER NOT NULL DEFAULT 1;
ALTER TABLE letters ADD COLUMN sent INTEGER NOT NULL DEFAULT 0;
ALTER TABLE letters ADD COLUMN state TEXT;      -- absent: a note that asks for nothing
CREATE INDEX letters_open_by_key ON letters (key_hash) WHERE state = 'open';
CREATE INDEX letters_open_by_id ON letters (id) WHERE state = 'open';
CREATE INDEX letters_waiting ON letters (run, chunk) WHERE state = 'open' AND outcome = 7;

CREATE TABLE letter_events (
    event INTEGER PRIMARY KEY,
    letter INTEGER NOT NULL REFERENCES letters ON DELETE CASCADE,
    at INTEGER NOT NULL,
    what TEXT NOT NULL,
    run TEXT,
    note TEXT
);
CREATE INDEX letter_events_by_letter ON letter_events (letter);

-- Letters of version 1 have no hash of their key: nothing could tell that newer
-- data has come, so they are never replayed.
UPDATE letters SET state = 'superseded' WHERE outcome IN (7, 8);
INSERT INTO letter_events (letter, at, what, note)
SELECT letter, coalesce(runs.ended, runs.started), 'superseded',
    'its journal was written by an older version: run the job again'
FROM letters JOIN runs USING (run) WHERE outcome IN (7, 8);

DROP VIEW v_letters;
CREATE VIEW v_letters AS
SELECT runs.id AS run, letter, ordinal,
    CASE outcome WHEN 5 THEN 'unchanged' WHEN 6 THEN 'dropped' WHEN 7 THEN 'deferred'
        WHEN 8 THEN 'dead_lettered' ELSE outcome END AS outcome,
    file, line, key, code, column_name AS "column", letters.message, hint,
    lower(substr(hex(letters.id), 1, 8) || '-' || substr(hex(letters.id), 9, 4) || '-'
        || substr(hex(letters.id), 13, 4) || '-' || substr(hex(letters.id), 17, 4) || '-'
        || substr(hex(letters.id), 21)) AS id,
    landed_partially, source_row, state, attempts,
    strftime('%Y-%m-%dT%H:%M:%fZ', until / 1000000.0, 'unixepoch') AS until
FROM letters JOIN runs USING (run);

DROP VIEW v_intents;
CREATE VIEW v_intents AS
SELECT runs.id AS run,
    strftime('%Y-%m-%dT%H:%M:%fZ', at / 1000000.0, 'unixepoch') AS at,
    lower(hex(request)) AS request, operation, records, fate,
    strftime('%Y-%m-%dT%H:%M:%fZ', replied / 1000000.0, 'unixepoch') AS replied,
    strftime('%Y-%m-%dT%H:%M:%fZ', until / 1000000.0, 'unixepoch') AS until,
    landed, intents.status, service_request, intents.message
FROM intents JOIN runs USING (run);
