//! `WatchProblems`: what breaks and heals, over all organisations that a key stands for.

use cassius_calendar::grpc::pb::watch_problems_response::Notice;
use cassius_calendar::grpc::pb::{
    AllTold, BrokenIntegration, ErrorReason, HealedIntegration, WatchProblemsRequest, WatchProblemsResponse,
};
use tonic::Streaming;

use crate::harness::app::{BOUND, TestApp};
use crate::harness::backends::{apply, both_backends};
use crate::harness::google::ACCOUNT;
use crate::harness::samples::{appointment, of_patient};
use crate::wire::callers::{as_guest, bare, invite_guest};

/// The next notice. Time goes on until there is one: nobody is told before it is looked.
async fn next(app: &TestApp, notices: &mut Streaming<WatchProblemsResponse>) -> Notice {
    let waiting = async {
        loop {
            match tokio::time::timeout(std::time::Duration::from_millis(200), notices.message()).await {
                Ok(message) => return message.unwrap().unwrap().notice.unwrap(),
                Err(_) => {
                    app.google.until_idle().await;
                    app.advance(5);
                }
            }
        }
    };
    tokio::time::timeout(BOUND, waiting).await.expect("there is news")
}

#[track_caller]
fn broken(notice: Notice) -> (String, ErrorReason, i32) {
    let Notice::Broken(BrokenIntegration { organisation_id, problem, days }) = notice else { panic!("{notice:?}") };
    (organisation_id, problem.unwrap().reason(), days)
}

#[apply(both_backends)]
async fn what_breaks_lasts_and_heals_is_told_and_what_is_broken_already_first(app: &mut TestApp) {
    app.connect("cabinet").await;
    let watch = async |app: &TestApp| {
        app.integrations.clone().watch_problems(WatchProblemsRequest {}).await.unwrap().into_inner()
    };
    let mut notices = watch(app).await;
    assert_eq!(next(app, &mut notices).await, Notice::AllTold(AllTold {}));
    app.google.revoke(ACCOUNT).await;
    app.accept("cabinet", appointment("rdv", 1)).await;
    let dead = ErrorReason::ReconnectRequired;
    assert_eq!(broken(next(app, &mut notices).await), ("cabinet".into(), dead, 0));
    app.advance(86_400);
    assert_eq!(broken(next(app, &mut notices).await), ("cabinet".into(), dead, 1));

    // Whoever listens anew is told how it stands; a key, what its own organisations have.
    let mut anew = watch(app).await;
    assert_eq!(broken(next(app, &mut anew).await), ("cabinet".into(), dead, 1));
    assert_eq!(next(app, &mut anew).await, Notice::AllTold(AllTold {}));
    app.connect("cabinet").await;
    let healed = Notice::Healed(HealedIntegration { organisation_id: "cabinet".into() });
    assert_eq!(next(app, &mut notices).await, healed);
    drop((notices, anew));

    app.google.revoke(ACCOUNT).await;
    app.accept("cabinet", of_patient("rdv", 2, "Patient 2")).await;
    app.until("cabinet", |status| status.problem.is_some()).await;
    invite_guest(app).await;
    let mut bare = bare(app).await;
    let mut guests = bare.integrations.watch_problems(as_guest(WatchProblemsRequest {})).await.unwrap().into_inner();
    assert_eq!(next(app, &mut guests).await, Notice::AllTold(AllTold {}));
}
