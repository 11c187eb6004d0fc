use futures_util::FutureExt as _;

use super::*;

fn organisation(id: &str) -> OrganisationId {
    OrganisationId::parse(id).unwrap()
}

fn appointment(id: &str) -> AppointmentId {
    AppointmentId::parse(id).unwrap()
}

fn is_woken(listener: &mut Listener) -> bool {
    listener.changed().now_or_never().is_some()
}

#[test]
fn a_waiter_is_woken_for_its_own_appointment_and_for_its_integration_alone() {
    let notifier = Notifier::default();
    let (one, other) = (organisation("one"), organisation("other"));
    let mut its = notifier.listen_to_appointment(&one, &appointment("a"));
    for change in [
        Change::Links(one.clone()),
        Change::Settled(one.clone(), appointment("b")),
        Change::Settled(other.clone(), appointment("a")),
        Change::Integration(other),
    ] {
        notifier.notify(&change);
        assert!(!is_woken(&mut its), "{change:?}");
    }
    for change in [Change::Settled(one.clone(), appointment("a")), Change::Integration(one)] {
        notifier.notify(&change);
        assert!(is_woken(&mut its), "{change:?}");
        assert!(!is_woken(&mut its), "once");
    }
}

#[test]
fn whoever_listens_to_an_organisation_hears_all_that_happens_there_and_missed_changes_are_one() {
    let notifier = Notifier::default();
    let one = organisation("one");
    let mut all = notifier.listen(&one);
    for change in [Change::Links(one.clone()), Change::Settled(one.clone(), appointment("a")), Change::Integration(one)]
    {
        notifier.notify(&change);
        notifier.notify(&change);
        assert!(is_woken(&mut all), "{change:?}");
        assert!(!is_woken(&mut all), "once for both");
    }
    notifier.notify(&Change::Links(organisation("other")));
    assert!(!is_woken(&mut all));
    notifier.set_misses_remote_changes(true);
    assert!(is_woken(&mut all), "what was not told of has to be looked for");
}

#[test]
fn nothing_is_left_of_those_who_listen_no_more() {
    let notifier = Notifier::default();
    let one = organisation("one");
    let first = notifier.listen_to_appointment(&one, &appointment("a"));
    let mut second = notifier.listen_to_appointment(&one, &appointment("a"));
    let all = notifier.listen(&one);
    drop(first);
    notifier.notify(&Change::Settled(one, appointment("a")));
    assert!(is_woken(&mut second), "it still listens");
    drop(all);
    drop(second);
    assert!(notifier.0.topics.lock().is_empty());
}
