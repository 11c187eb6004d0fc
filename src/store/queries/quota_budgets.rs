//! What replicas share of Google's quota.
//!
//! Owns the statements that read, make and spend budgets. Never computes what is spent: the caller's function does.
//! Invariant: budgets are held in the order of their names, so that no two who spend wait for each other.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use jiff::Timestamp;

use super::schema::quota_budgets;
use super::statement::{list_of, named, padded, rows_of, sql};
use super::{Conn, FOR_UPDATE, Fault, UNSYNCED};
use crate::store::instant::Instant;

#[derive(QueryableByName)]
#[diesel(table_name = quota_budgets)]
struct BudgetRow {
    budget: String,
    spent_until: Instant,
}

pub(in crate::store) async fn spend<F>(conn: &mut Conn, mut budgets: Vec<String>, spend: F) -> Result<(), Fault>
where
    F: FnOnce(&mut HashMap<String, i64>) + Send,
{
    budgets.sort();
    budgets.dedup();
    transaction!(conn, async |conn| {
        let mut found = lock(conn, &budgets).await?;
        if found.len() < budgets.len() {
            add(conn, &budgets).await?;
            found = lock(conn, &budgets).await?;
        }
        let mut spent = found.clone();
        spend(&mut spent);
        let mut changed: Vec<_> =
            spent.into_iter().filter(|(budget, until)| found.get(budget) != Some(until)).collect();
        if changed.is_empty() {
            return Ok(());
        }
        changed.sort();
        let first = changed[0].clone();
        let update = sql("WITH spent (its_budget, until) AS (VALUES ")
            .with(rows_of(padded(changed, || first.clone()), |row, (budget, until)| {
                let until = Timestamp::from_microsecond(until).unwrap_or(Timestamp::MAX);
                row.bind(budget).sql(", ").bind(until)
            }))
            .sql(") UPDATE quota_budgets SET spent_until = until FROM spent WHERE budget = its_budget");
        named("quota_budgets.spend", update.keep()).execute(conn).await?;
        Ok(())
    })
}

/// Holds the budgets against everybody else, one after the other in the order of their names.
async fn lock(conn: &mut Conn, budgets: &[String]) -> Result<HashMap<String, i64>, Fault> {
    let select = sql(format!("SELECT budget, spent_until{UNSYNCED} FROM quota_budgets WHERE budget IN "))
        .with(list_of(padded(budgets.to_vec(), String::new)))
        .sql(format!(" ORDER BY budget {FOR_UPDATE}"));
    let rows: Vec<BudgetRow> = named("quota_budgets.lock", select.keep()).load(conn).await?;
    Ok(rows.into_iter().map(|row| (row.budget, row.spent_until.0.as_microsecond())).collect())
}

async fn add(conn: &mut Conn, budgets: &[String]) -> Result<(), Fault> {
    let first = budgets.first().cloned().unwrap_or_default();
    let insert = sql("INSERT INTO quota_budgets (budget, spent_until) VALUES ")
        .with(rows_of(padded(budgets.to_vec(), || first.clone()), |row, budget| {
            row.bind(budget).sql(", ").bind(Timestamp::UNIX_EPOCH)
        }))
        .sql(" ON CONFLICT (budget) DO NOTHING");
    named("quota_budgets.add", insert.keep()).execute(conn).await?;
    Ok(())
}
