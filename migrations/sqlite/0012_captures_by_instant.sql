-- What came in while a till was open (X and Z report), found by its instants without reading the history.
CREATE INDEX payment_attempts_captured_at ON payment_attempts (site_id, captured_at) WHERE status = 'captured' AND NOT stray;
