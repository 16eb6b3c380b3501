-- +goose Up

-- A webhook, from its acceptance to its end. state: received, processed, ignored, refused, failed.
CREATE TABLE deliveries (
    guid            TEXT PRIMARY KEY,
    event           TEXT   NOT NULL,
    body            BYTEA  NOT NULL,
    state           TEXT   NOT NULL,
    reason          TEXT   NOT NULL DEFAULT '',
    action          TEXT   NOT NULL DEFAULT '',
    installation_id BIGINT NOT NULL DEFAULT 0,
    repo            TEXT   NOT NULL DEFAULT '',
    tries           BIGINT NOT NULL DEFAULT 0,
    received_ms     BIGINT NOT NULL,
    ended_ms        BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX deliveries_state ON deliveries (state, received_ms);

-- A check of ours on a commit, and the outbox of what GitHub must be told: wanted above sent is work to do.
CREATE TABLE checks (
    id              TEXT PRIMARY KEY, -- with external, external_id at GitHub
    installation_id BIGINT NOT NULL,
    repo            TEXT   NOT NULL,
    head_sha        TEXT   NOT NULL,
    pull_number     BIGINT NOT NULL DEFAULT 0,
    name            TEXT   NOT NULL,
    path            TEXT   NOT NULL DEFAULT '', -- of the job file in the repository
    generation      BIGINT NOT NULL DEFAULT 1,  -- raised by a re-run; its runs' keys begin with "id.generation/"
    external        BIGINT NOT NULL DEFAULT 1,  -- the generation that the check run at GitHub was made for
    problem         TEXT   NOT NULL DEFAULT '', -- JSON: why there are no runs; set when the configuration was refused
    check_run_id    BIGINT NOT NULL DEFAULT 0,  -- GitHub's id; 0 until it is made
    wanted          BIGINT NOT NULL DEFAULT 1,
    sent            BIGINT NOT NULL DEFAULT 0,
    sent_hash       TEXT   NOT NULL DEFAULT '', -- of what was sent last: what is the same is not sent again
    annotations     BIGINT NOT NULL DEFAULT 0,  -- how many GitHub has; it appends
    open            BIGINT NOT NULL DEFAULT 1,  -- 0 once the check run at GitHub has a conclusion
    writer          TEXT   NOT NULL DEFAULT '',
    writer_until_ms BIGINT NOT NULL DEFAULT 0,
    sent_ms         BIGINT NOT NULL DEFAULT 0,
    error           TEXT   NOT NULL DEFAULT '', -- why the last write failed
    created_ms      BIGINT NOT NULL,
    UNIQUE (installation_id, repo, head_sha, name)
);
CREATE INDEX checks_open ON checks (sent_ms) WHERE open = 1;
CREATE INDEX checks_unsent ON checks (sent_ms) WHERE sent < wanted;

-- A pull request as last seen at GitHub. The freshest look wins, by seen_ms, when it began.
CREATE TABLE pulls (
    installation_id BIGINT NOT NULL,
    repo            TEXT   NOT NULL,
    number          BIGINT NOT NULL,
    head_sha        TEXT   NOT NULL,
    open            BIGINT NOT NULL,
    seen_ms         BIGINT NOT NULL,
    PRIMARY KEY (installation_id, repo, number)
);

-- +goose Down
DROP TABLE pulls;
DROP TABLE checks;
DROP TABLE deliveries;
