DROP TABLE quota_budgets;
