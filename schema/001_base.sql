-- Our tables beside fraud_scores.  docs/formats.md says what each column means.

-- What is kept of every verdict that a sink of ours stored.
CREATE TABLE fraudtop_models (
    model integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name  text NOT NULL UNIQUE            -- "seed-004 1": name, blank, version
);
CREATE TABLE fraudtop_verdicts (
    transaction_id uuid PRIMARY KEY,
    amount     numeric,                   -- NULL: not known
    challenger jsonb,                     -- {"model","score"} of the model that ran beside
    model      integer,                   -- fraudtop_models; NULL: not known
    label      smallint                   -- 0, 1; NULL: not known
);

-- Flagged and sampled transactions: what the reviewer sees, and where the review stands.  The second half is
-- derived from fraudtop_events by the trigger below and by nothing else.
CREATE TABLE fraudtop_cases (
    transaction_id uuid PRIMARY KEY,
    score          double precision NOT NULL,
    threshold      double precision,      -- in force when it was scored
    scored_at      timestamptz NOT NULL,
    amount         numeric,
    model          integer,
    label          smallint,
    flagged        boolean NOT NULL,
    sampled        boolean NOT NULL DEFAULT false, -- of the random sample from below the threshold
    data           jsonb,
    reasons        jsonb,
    history        jsonb,
    usual          jsonb,
    features       jsonb,
    challenger     jsonb,
    risk           double precision GENERATED ALWAYS AS (score * coalesce(amount::double precision, 0)) STORED,
    merchant       text GENERATED ALWAYS AS (left(data ->> 'merch', 256)) STORED,
    customer       uuid GENERATED ALWAYS AS (CASE WHEN data ?| '{name_1,name_2,street}' THEN
                       md5(coalesce(data ->> 'name_1', '') || E'\x1f' || coalesce(data ->> 'name_2', '') ||
                           E'\x1f' || coalesce(data ->> 'street', ''))::uuid END) STORED,

    status         text NOT NULL DEFAULT 'open'
                   CHECK (status IN ('open', 'fraud', 'legitimate', 'escalated', 'snoozed')),
    number         integer NOT NULL DEFAULT 0,     -- of the last event
    decided_at     timestamptz,           -- of the decision in force
    decided_by     text,
    first_decided_at timestamptz,
    claimed_by     text,
    claimed_at     timestamptz,
    claimed_until  timestamptz,
    snoozed_until  timestamptz
);
CREATE INDEX fraudtop_cases_risk ON fraudtop_cases (risk DESC, transaction_id)
    WHERE flagged AND status IN ('open', 'snoozed');
CREATE INDEX fraudtop_cases_waiting ON fraudtop_cases (scored_at, transaction_id)
    WHERE flagged AND status IN ('open', 'snoozed');
CREATE INDEX fraudtop_cases_touched ON fraudtop_cases (status, decided_at)
    WHERE status <> 'open' OR claimed_by IS NOT NULL;
CREATE INDEX fraudtop_cases_recent ON fraudtop_cases (scored_at DESC, transaction_id DESC);
CREATE INDEX fraudtop_cases_merchant ON fraudtop_cases (merchant, scored_at DESC);
CREATE INDEX fraudtop_cases_customer ON fraudtop_cases (customer, scored_at DESC);
CREATE INDEX fraudtop_cases_sampled ON fraudtop_cases (scored_at DESC) WHERE sampled;

-- Decisions, notes and claims: appended, never changed.  A writer inserts the number it saw + 1.
CREATE TABLE fraudtop_events (
    transaction_id uuid NOT NULL,
    number     integer NOT NULL CHECK (number > 0),
    at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    kind       text NOT NULL
               CHECK (kind IN ('fraud', 'legitimate', 'escalate', 'snooze', 'undo', 'claim', 'release', 'note')),
    reason     text,
    note       text,
    who        text NOT NULL DEFAULT session_user,
    db_role    text NOT NULL DEFAULT session_user,
    until      timestamptz,               -- of a claim or a snooze
    score      double precision,
    model      text,
    threshold  double precision,          -- in force at the decision
    replaces   integer,                   -- undo: number of the event taken back
    status     text NOT NULL DEFAULT '',  -- of the case after this event; filled by the trigger
    PRIMARY KEY (transaction_id, number)
);
CREATE INDEX fraudtop_events_at ON fraudtop_events (at DESC);

CREATE FUNCTION fraudtop_event() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    c fraudtop_cases%ROWTYPE;
    decision boolean := NEW.kind IN ('fraud', 'legitimate', 'escalate', 'snooze');
BEGIN
    -- A row that somebody else put into fraud_scores becomes a case by its first event.
    INSERT INTO fraudtop_cases (transaction_id, score, scored_at, flagged)
        SELECT transaction_id, score, coalesce(scored_at, now()), fraud_flag <> 0 FROM fraud_scores
        WHERE transaction_id = NEW.transaction_id
        ON CONFLICT (transaction_id) DO NOTHING;
    SELECT * INTO c FROM fraudtop_cases WHERE transaction_id = NEW.transaction_id FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no transaction % in fraud_scores', NEW.transaction_id USING ERRCODE = 'no_data_found';
    END IF;
    IF NEW.number <> c.number + 1 THEN
        RAISE EXCEPTION 'event % of % is not the next one (%)', NEW.number, NEW.transaction_id, c.number + 1
            USING ERRCODE = 'unique_violation';
    END IF;
    NEW.status := CASE NEW.kind
        WHEN 'fraud' THEN 'fraud' WHEN 'legitimate' THEN 'legitimate'
        WHEN 'escalate' THEN 'escalated' WHEN 'snooze' THEN 'snoozed'
        WHEN 'undo' THEN coalesce((SELECT e.status FROM fraudtop_events e
            WHERE e.transaction_id = NEW.transaction_id AND e.number = NEW.replaces - 1), 'open')
        ELSE c.status END;
    NEW.score := coalesce(NEW.score, c.score);
    NEW.model := coalesce(NEW.model, (SELECT name FROM fraudtop_models m WHERE m.model = c.model));
    NEW.threshold := coalesce(NEW.threshold, c.threshold);
    UPDATE fraudtop_cases SET
        number = NEW.number,
        status = NEW.status,
        decided_at = CASE WHEN decision OR NEW.kind = 'undo' THEN NEW.at ELSE decided_at END,
        decided_by = CASE WHEN decision OR NEW.kind = 'undo' THEN NEW.who ELSE decided_by END,
        first_decided_at = CASE WHEN decision AND NEW.kind <> 'snooze' THEN coalesce(first_decided_at, NEW.at)
            ELSE first_decided_at END,
        snoozed_until = CASE WHEN NEW.kind = 'snooze' THEN NEW.until
            WHEN NEW.kind = 'undo' AND NEW.status = 'snoozed' THEN snoozed_until
            WHEN decision OR NEW.kind = 'undo' THEN NULL ELSE snoozed_until END,
        claimed_by = CASE WHEN NEW.kind = 'claim' THEN NEW.who
            WHEN decision OR NEW.kind = 'release' THEN NULL ELSE claimed_by END,
        claimed_at = CASE WHEN NEW.kind = 'claim' THEN NEW.at
            WHEN decision OR NEW.kind = 'release' THEN NULL ELSE claimed_at END,
        claimed_until = CASE WHEN NEW.kind = 'claim' THEN coalesce(NEW.until, NEW.at + interval '30 minutes')
            WHEN decision OR NEW.kind = 'release' THEN NULL ELSE claimed_until END
        WHERE transaction_id = NEW.transaction_id;
    RETURN NEW;
END $$;
CREATE TRIGGER fraudtop_event BEFORE INSERT ON fraudtop_events
    FOR EACH ROW EXECUTE FUNCTION fraudtop_event();

-- Scores counted exactly: each batch leaves one row of counts, which are folded into hours and totals now and then.
-- A cell is (flag * 3 + label + 1) * 2000 + bin, label -1 where it is not known; the bins are of equal width, 0 to 1.
CREATE TABLE fraudtop_score_deltas (
    id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    hour   integer NOT NULL,              -- hours since 1970 UTC
    cell   smallint[] NOT NULL,
    n      integer[] NOT NULL,
    amount numeric[] NOT NULL
);
CREATE TABLE fraudtop_score_hours (
    hour   integer NOT NULL,
    cell   smallint NOT NULL,
    n      bigint NOT NULL,
    amount numeric NOT NULL,
    PRIMARY KEY (hour, cell)
);
CREATE TABLE fraudtop_score_totals (
    part   smallint PRIMARY KEY,          -- cell / 2000
    n      bigint NOT NULL,
    amount numeric NOT NULL
);

CREATE TABLE fraudtop_sink_offsets (
    cluster_id  text NOT NULL,
    group_id    text NOT NULL,
    topic       text NOT NULL,
    partition   integer NOT NULL,
    next_offset bigint NOT NULL,
    last_id     uuid,
    PRIMARY KEY (cluster_id, group_id, topic, partition)
);

-- Replay runs and processes as their heartbeats tell, what was in force when, and alerts.
CREATE TABLE fraudtop_runs (
    run        text PRIMARY KEY,
    started_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    ended_at   timestamptz,
    state      text NOT NULL DEFAULT 'running',
    host       text,
    detail     jsonb NOT NULL DEFAULT '{}'
);
CREATE TABLE fraudtop_processes (
    process    text PRIMARY KEY,          -- "score box-1 4122"
    role       text NOT NULL,
    host       text NOT NULL,
    pid        integer NOT NULL,
    state      text NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    seen_at    timestamptz NOT NULL DEFAULT now(),
    detail     jsonb NOT NULL DEFAULT '{}'
);
CREATE TABLE fraudtop_in_force (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    kind    text NOT NULL,                -- threshold, model, sample, pause, rate
    value   jsonb NOT NULL,
    who     text NOT NULL DEFAULT session_user,
    db_role text NOT NULL DEFAULT session_user,
    note    text
);
CREATE INDEX fraudtop_in_force_kind ON fraudtop_in_force (kind, at DESC);
CREATE TABLE fraudtop_alerts (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at timestamptz,
    kind     text NOT NULL,               -- kafka_down, pg_down, lag, model, ...
    host     text,
    message  text NOT NULL
);
CREATE INDEX fraudtop_alerts_at ON fraudtop_alerts (at DESC);

-- Until when rows that others wrote to fraud_scores have been looked at (one row).
CREATE TABLE fraudtop_adopted (
    one   boolean PRIMARY KEY DEFAULT true CHECK (one),
    until timestamptz NOT NULL
);
INSERT INTO fraudtop_adopted (until) VALUES ('-infinity');
