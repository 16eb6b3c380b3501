-- +goose Up

-- How far a periodic step has come.
CREATE TABLE marks (
    name  TEXT PRIMARY KEY,
    at_ms BIGINT NOT NULL
);

-- +goose Down
DROP TABLE marks;
