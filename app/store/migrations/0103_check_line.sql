-- +goose Up

-- Where the job file at the path has the job, for a job whose definition is not a file of its own; 0: in the definition.
ALTER TABLE checks ADD COLUMN line BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE checks DROP COLUMN line;
