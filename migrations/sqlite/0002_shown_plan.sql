-- The digest of the plan that a card shows: what a voter there has seen. Empty: the card shows no plan yet.
ALTER TABLE messages ADD COLUMN shown_plan TEXT;
