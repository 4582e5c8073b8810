-- The time of an entry in the customer's log, where it isn't that of the agents' log; of a hidden one, that of the last
-- public one before it.
ALTER TABLE entries ADD COLUMN public_ms INTEGER;
