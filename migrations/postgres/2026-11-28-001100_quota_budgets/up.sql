CREATE TABLE quota_budgets (
    budget TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    spent_until TIMESTAMPTZ NOT NULL
);
COMMENT ON TABLE quota_budgets IS
    'What the replicas share of Google''s quota. It may be emptied at any time: budgets are whole again then.';
COMMENT ON COLUMN quota_budgets.budget IS
    'Whose it is: project, background, or account and the sub of a Google account.';
COMMENT ON COLUMN quota_budgets.spent_until IS
    'When the budget would be whole again if nothing more were spent.';
