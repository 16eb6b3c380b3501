-- +goose Up

-- What the repository says of results, at the run's commit: the sources of its lists, and how often the definitions of
-- failed cases are run again.
ALTER TABLE runs ADD COLUMN known_failures BYTEA;
ALTER TABLE runs ADD COLUMN kernel_log BYTEA;
ALTER TABLE runs ADD COLUMN test_retries BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE runs DROP COLUMN test_retries;
ALTER TABLE runs DROP COLUMN kernel_log;
ALTER TABLE runs DROP COLUMN known_failures;
