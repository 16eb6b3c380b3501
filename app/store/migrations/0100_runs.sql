-- +goose Up

-- A runner of the lab, known by the SHA-256 of its secret. It is connected while alive_ms is in the future.
CREATE TABLE runners (
    id           TEXT PRIMARY KEY,
    name         TEXT   NOT NULL UNIQUE,
    secret_hash  TEXT   NOT NULL,
    version      TEXT   NOT NULL DEFAULT '',
    repositories TEXT   NOT NULL DEFAULT '[]', -- JSON: its allow-list
    session      TEXT   NOT NULL DEFAULT '',   -- of its newest stream
    replica      TEXT   NOT NULL DEFAULT '',   -- of the app, that has the stream
    alive_ms     BIGINT NOT NULL DEFAULT 0,
    created_ms   BIGINT NOT NULL
);

-- A one-time token to enroll a runner.
CREATE TABLE enrolments (
    token_hash  TEXT PRIMARY KEY,
    name        TEXT   NOT NULL DEFAULT '', -- the only runner it is for; empty: any new one
    until_ms    BIGINT NOT NULL,
    runner_id   TEXT   NOT NULL DEFAULT '', -- once used
    secret_hash TEXT   NOT NULL DEFAULT ''  -- by whom
);

-- A board or guest, as its runner announces it.
CREATE TABLE targets (
    id        TEXT PRIMARY KEY,
    runner_id TEXT   NOT NULL REFERENCES runners (id),
    name      TEXT   NOT NULL,
    type      TEXT   NOT NULL,
    tags      TEXT   NOT NULL DEFAULT '[]', -- JSON
    tag_count BIGINT NOT NULL DEFAULT 0,
    trust     TEXT   NOT NULL DEFAULT '',
    health    TEXT   NOT NULL DEFAULT 'good',
    announced BIGINT NOT NULL DEFAULT 1,  -- 0: its runner no longer names it
    lease_id  TEXT   NOT NULL DEFAULT '', -- that holds it
    used_ms   BIGINT NOT NULL DEFAULT 0,
    UNIQUE (runner_id, name)
);
CREATE INDEX targets_idle ON targets (type, lease_id, tag_count, used_ms);

-- One job wanted on one kind of target for one commit. state: queued, running, completed.
CREATE TABLE runs (
    id             TEXT PRIMARY KEY,
    run_key        TEXT   NOT NULL UNIQUE, -- what makes two wishes one run
    check_id       TEXT   NOT NULL DEFAULT '',
    name           TEXT   NOT NULL,
    repository     TEXT   NOT NULL,
    ref            TEXT   NOT NULL DEFAULT '',
    commit_sha     TEXT   NOT NULL,
    pull_number    BIGINT NOT NULL DEFAULT 0,
    trust          TEXT   NOT NULL,
    priority       BIGINT NOT NULL DEFAULT 0,
    target_type    TEXT   NOT NULL,
    tags           TEXT   NOT NULL DEFAULT '[]', -- JSON
    job            BYTEA  NOT NULL,
    state          TEXT   NOT NULL DEFAULT 'queued',
    attempts       BIGINT NOT NULL DEFAULT 0,
    max_attempts   BIGINT NOT NULL DEFAULT 2,
    avoid_target   TEXT   NOT NULL DEFAULT '', -- where the first attempt failed
    verdict        TEXT   NOT NULL DEFAULT '',
    class          TEXT   NOT NULL DEFAULT '',
    message        TEXT   NOT NULL DEFAULT '',
    created_ms     BIGINT NOT NULL,
    queue_until_ms BIGINT NOT NULL DEFAULT 0, -- 0: for ever
    started_ms     BIGINT NOT NULL DEFAULT 0,
    ended_ms       BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX runs_queue ON runs (state, target_type, priority, created_ms);
CREATE INDEX runs_newest ON runs (created_ms);
CREATE INDEX runs_check ON runs (check_id);

-- One execution of a run on one target. state: running, ended.
CREATE TABLE attempts (
    run_id     TEXT   NOT NULL REFERENCES runs (id),
    number     BIGINT NOT NULL,
    lease_id   TEXT   NOT NULL,
    runner     TEXT   NOT NULL, -- names, as they were
    target     TEXT   NOT NULL,
    state      TEXT   NOT NULL DEFAULT 'running',
    verdict    TEXT   NOT NULL DEFAULT '',
    class      TEXT   NOT NULL DEFAULT '',
    message    TEXT   NOT NULL DEFAULT '',
    complete   BIGINT NOT NULL DEFAULT 0,
    results    TEXT   NOT NULL DEFAULT '', -- JSON: jobs.Results
    started_ms BIGINT NOT NULL,
    ended_ms   BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (run_id, number)
);

-- The exclusive hold of a target. state: held, released, lost; a lease is never held again.
CREATE TABLE leases (
    id         TEXT PRIMARY KEY,
    target_id  TEXT   NOT NULL REFERENCES targets (id),
    runner_id  TEXT   NOT NULL REFERENCES runners (id),
    run_id     TEXT   NOT NULL REFERENCES runs (id),
    attempt    BIGINT NOT NULL,
    state      TEXT   NOT NULL DEFAULT 'held',
    accepted   BIGINT NOT NULL DEFAULT 0, -- the runner has spoken of it
    cancel     TEXT   NOT NULL DEFAULT '', -- why its run shall stop
    until_ms   BIGINT NOT NULL, -- lost then
    created_ms BIGINT NOT NULL,
    ended_ms   BIGINT NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX leases_target ON leases (target_id) WHERE state = 'held';
CREATE UNIQUE INDEX leases_run ON leases (run_id) WHERE state = 'held';
CREATE INDEX leases_runner ON leases (runner_id) WHERE state = 'held';

-- +goose Down
DROP TABLE leases;
DROP TABLE attempts;
DROP TABLE runs;
DROP TABLE targets;
DROP TABLE enrolments;
DROP TABLE runners;
