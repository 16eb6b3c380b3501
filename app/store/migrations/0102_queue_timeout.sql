-- +goose Up

-- How long a run may wait each time it is queued: one whose attempt failed waits anew.
ALTER TABLE runs ADD COLUMN queue_ms BIGINT NOT NULL DEFAULT 0; -- 0: for ever
UPDATE runs SET queue_ms = queue_until_ms - created_ms WHERE queue_until_ms > 0;

-- +goose Down
ALTER TABLE runs DROP COLUMN queue_ms;
