-- Rows of one chunk that were deferred and ended under another judgement.

-- Of the row's outcome, where it is not that of its chunk.
ALTER TABLE letters ADD COLUMN judgement TEXT;
CREATE INDEX chunks_by_judgement ON chunks (run, judgement);
CREATE INDEX letters_by_judgement ON letters (run, judgement) WHERE judgement IS NOT NULL;
