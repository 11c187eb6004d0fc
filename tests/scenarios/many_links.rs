//! A change that concerns more links than one transaction takes.

use cassius_calendar::grpc::pb::{CatchUp, IntegrationSettings, TitlePrivacy, UpdateSettingsRequest};
use prost_types::FieldMask;

use super::enable;
use crate::harness::app::TestApp;
use crate::harness::backends::{apply, both_backends};

#[apply(both_backends)]
async fn it_is_told_whole_at_once_and_gets_to_all_of_them_by_itself(app: &mut TestApp) {
    const LINKS: i32 = 2_500;
    app.connect("cabinet").await;
    // Nothing is sent: there is only what becomes of the links to see.
    enable(app, false).await;
    app.database.make_links("cabinet", 2_500, app.clock.now()).await;
    let request = UpdateSettingsRequest {
        organisation_id: "cabinet".into(),
        settings: Some(IntegrationSettings { title_privacy: TitlePrivacy::Masked.into(), ..Default::default() }),
        update_mask: Some(FieldMask { paths: vec!["title_privacy".into()] }),
    };
    let status = app.integrations.update_settings(request).await.unwrap().into_inner().status.unwrap();
    assert!(matches!(status.catch_up, Some(CatchUp { total: LINKS, done: 0, failed: 0, .. })), "{status:?}");
    assert!(status.counts.is_some_and(|counts| counts.pending >= 1_000));
    // Whoever watches is told of each part.
    let status = app.until("cabinet", |status| status.counts.is_some_and(|counts| counts.pending == LINKS)).await;
    assert!(matches!(status.catch_up, Some(CatchUp { total: LINKS, done: 0, .. })), "{status:?}");
    assert!(app.database.store.organisations_with_wishes().await.unwrap().is_empty());
}
