//! What people read about an error: one sentence on what is wrong and one on what to do, in both languages.
//!
//! Owns the catalogue, by reason. Never takes a parameter: a sentence that holds no value leaks none. Invariant: every
//! reason of the wire has its sentence in every language.

use super::pb::ErrorReason;
use crate::language::Language;

/// The sentence for a reason, in a language.
pub(super) fn sentence(reason: ErrorReason, language: Language) -> &'static str {
    let (french, english) = both(reason);
    match language {
        Language::French => french,
        Language::English => english,
    }
}

fn both(reason: ErrorReason) -> (&'static str, &'static str) {
    match reason {
        ErrorReason::InvalidRequest => (
            "La demande contient des informations incorrectes. Corrigez les champs indiqués puis réessayez.",
            "The request holds incorrect information. Correct the fields named and try again.",
        ),
        ErrorReason::InvalidApiKey => (
            "La clé d’accès au service de synchronisation est absente ou inconnue. Contactez votre administrateur.",
            "The access key of the synchronisation service is missing or unknown. Contact your administrator.",
        ),
        ErrorReason::OrganisationNotAllowed => (
            "Cette clé d’accès ne permet pas d’agir pour cette organisation. Contactez votre administrateur.",
            "This access key may not act for this organisation. Contact your administrator.",
        ),
        ErrorReason::NotConnected => (
            "Aucun compte Google n’est connecté. Connectez Google Calendar dans les réglages.",
            "No Google account is connected. Connect Google Calendar in the settings.",
        ),
        ErrorReason::Disconnecting => (
            "La déconnexion du compte Google est en cours. Attendez qu’elle soit terminée, ou terminez-la sans supprimer.",
            "The Google account is being disconnected. Wait until that has ended, or end it without deleting.",
        ),
        ErrorReason::ReconnectRequired => (
            "Google n’autorise plus l’accès au calendrier. Reconnectez le compte Google dans les réglages.",
            "Google no longer grants access to the calendar. Connect the Google account again in the settings.",
        ),
        ErrorReason::CalendarUnavailable => (
            "Le calendrier choisi n’existe plus ou n’est pas modifiable. Choisissez un autre calendrier.",
            "The chosen calendar is gone or cannot be written to. Choose another calendar.",
        ),
        ErrorReason::AppointmentNotFound => (
            "Ce rendez-vous n’est pas connu du service de synchronisation. Enregistrez-le de nouveau dans Cassius.",
            "The synchronisation service does not know this appointment. Save it again in Cassius.",
        ),
        ErrorReason::GoogleUnavailable => (
            "Google ne répond pas pour le moment. Ce qui attend sera envoyé dès son retour.",
            "Google is not answering at the moment. What is waiting is sent as soon as it is back.",
        ),
        ErrorReason::GoogleThrottled => (
            "Google demande de patienter. La synchronisation reprendra d’elle-même, il n’y a rien à faire.",
            "Google asks for patience. Synchronisation goes on by itself, there is nothing to do.",
        ),
        ErrorReason::EventRefused => (
            "Google refuse cet événement. Vérifiez le rendez-vous dans Cassius puis réessayez.",
            "Google refuses this event. Check the appointment in Cassius and try again.",
        ),
        ErrorReason::GoogleMisconfigured => (
            "L’accès à Google n’est pas correctement configuré. Contactez votre administrateur.",
            "Access to Google is not set up correctly. Contact your administrator.",
        ),
        ErrorReason::AccountUnavailable => (
            "Google refuse l’accès à Agenda pour ce compte. L’administrateur de ce compte Google doit le rétablir.",
            "Google refuses this account access to Calendar. The administrator of the Google account has to restore it.",
        ),
        ErrorReason::KeyringIncomplete => (
            "Une clé de chiffrement manque au service de synchronisation. Contactez votre administrateur.",
            "The synchronisation service lacks an encryption key. Contact your administrator.",
        ),
        ErrorReason::NoPendingAccount => (
            "Aucun autre compte n’attend d’être confirmé. Recommencez la connexion dans les réglages.",
            "No other account waits to be confirmed. Start the connection again in the settings.",
        ),
        ErrorReason::StorageUnavailable => (
            "Le service de synchronisation est momentanément indisponible. Réessayez dans quelques instants.",
            "The synchronisation service is unavailable for the moment. Try again in a few moments.",
        ),
        ErrorReason::Overloaded => (
            "Le service de synchronisation reçoit trop de demandes à la fois. Réessayez dans quelques instants.",
            "The synchronisation service receives too many requests at once. Try again in a few moments.",
        ),
        ErrorReason::DeadlineExceeded => (
            "La demande a pris trop de temps. Réessayez dans quelques instants.",
            "The request took too long. Try again in a few moments.",
        ),
        ErrorReason::Draining => (
            "Le service de synchronisation redémarre. Réessayez dans quelques instants.",
            "The synchronisation service is restarting. Try again in a few moments.",
        ),
        ErrorReason::Internal | ErrorReason::Unspecified => (
            "Une erreur inattendue s’est produite. Réessayez, et si elle persiste contactez votre administrateur.",
            "An unexpected error occurred. Try again, and contact your administrator if it persists.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_says_what_is_wrong_and_what_to_do_in_its_own_words() {
        let reasons: Vec<_> = (1..).map_while(|number| ErrorReason::try_from(number).ok()).collect();
        assert!(reasons.contains(&ErrorReason::Disconnecting), "the numbers have no gap");
        let mut seen = std::collections::BTreeSet::new();
        for reason in reasons {
            for language in [Language::French, Language::English] {
                let sentence = sentence(reason, language);
                assert!(sentence.matches(". ").count() == 1 && sentence.ends_with('.'), "{reason:?}: {sentence}");
                assert!(seen.insert(sentence), "{reason:?} has a sentence of its own");
            }
        }
    }
}
