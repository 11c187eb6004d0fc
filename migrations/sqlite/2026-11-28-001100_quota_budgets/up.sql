-- What the replicas share of Google's quota; SQLite has no replicas, and the table stays empty.
CREATE TABLE quota_budgets (
    -- Whose it is: project, background, or account and the sub of a Google account.
    budget TEXT NOT NULL PRIMARY KEY,
    -- When the budget would be whole again if nothing more were spent.
    spent_until BIGINT NOT NULL
);
