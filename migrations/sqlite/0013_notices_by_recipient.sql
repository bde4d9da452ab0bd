-- What one kind of recipient was told, the newest first, without reading what the others were told.
CREATE INDEX notifications_of_recipient ON notifications (site_id, recipient_kind, outbox_seq);
