-- The questions that the console asks every few seconds are answered from indexes alone, however many cases there are: what they
-- look at beside the key is carried along.
DROP INDEX fraudtop_cases_risk, fraudtop_cases_score, fraudtop_cases_amount, fraudtop_cases_waiting,
    fraudtop_cases_touched, fraudtop_cases_recent;
CREATE INDEX fraudtop_cases_risk ON fraudtop_cases (risk DESC, transaction_id) INCLUDE (status, snoozed_until)
    WHERE flagged AND status IN ('open', 'snoozed');
CREATE INDEX fraudtop_cases_score ON fraudtop_cases (score DESC, transaction_id) INCLUDE (status, snoozed_until)
    WHERE flagged AND status IN ('open', 'snoozed');
CREATE INDEX fraudtop_cases_amount ON fraudtop_cases (amount DESC NULLS LAST, transaction_id)
    INCLUDE (status, snoozed_until) WHERE flagged AND status IN ('open', 'snoozed');
CREATE INDEX fraudtop_cases_waiting ON fraudtop_cases (scored_at, transaction_id) INCLUDE (status, snoozed_until)
    WHERE flagged AND status IN ('open', 'snoozed');
CREATE INDEX fraudtop_cases_touched ON fraudtop_cases (status, decided_at)
    INCLUDE (flagged, snoozed_until, claimed_until, amount, scored_at, first_decided_at)
    WHERE status <> 'open' OR claimed_by IS NOT NULL;
CREATE INDEX fraudtop_cases_recent ON fraudtop_cases (scored_at DESC, transaction_id DESC) INCLUDE (flagged, amount);
