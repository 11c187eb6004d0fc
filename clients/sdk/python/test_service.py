"""The Python package against a running service, whose address is in CALENDAR_ADDRESS."""

import os
import unittest
import uuid
from datetime import datetime, timedelta, timezone

from cassius.calendar.v1 import appointment_sync_pb2 as sync_pb2
from cassius.calendar.v1 import calendar_integration_pb2 as integration_pb2
from cassius_calendar import Calendar, CalendarError, reason_name


def appointment(appointment_id, revision, **change):
    start = datetime.now(timezone.utc) + timedelta(days=2)
    fields = {
        "appointment_id": appointment_id,
        "revision": revision,
        "state": sync_pb2.APPOINTMENT_STATE_SCHEDULED,
        "type": "Implant",
        "patient_name": "Camille Exemple",
        "start_time": start,
        "end_time": start + timedelta(minutes=30),
        "time_zone": "Europe/Paris",
    }
    return sync_pb2.Appointment(**(fields | change))


class AgainstTheService(unittest.TestCase):
    def setUp(self):
        self.organisation_id = f"python-{uuid.uuid4()}"
        self.calendar = Calendar(os.environ["CALENDAR_ADDRESS"], plaintext=True)
        self.addCleanup(self.calendar.close)

    def send(self, snapshot):
        request = sync_pb2.SyncAppointmentRequest(organisation_id=self.organisation_id, appointment=snapshot)
        return self.calendar.call(self.calendar.appointments.SyncAppointment, request)

    def test_it_connects_and_sends(self):
        status = self.calendar.call(
            self.calendar.integration.GetStatus,
            integration_pb2.GetStatusRequest(organisation_id=self.organisation_id),
        ).status
        self.assertEqual(status.state, integration_pb2.INTEGRATION_STATE_NOT_CONNECTED)
        link = self.send(appointment("rdv", 7)).link
        self.assertEqual((link.appointment_id, link.revision), ("rdv", 7))
        self.assertEqual(link.sync_status, sync_pb2.SYNC_STATUS_NONE)

    def test_an_error_is_read_by_its_details(self):
        with self.assertRaises(CalendarError) as caught:
            self.send(appointment("rdv", 0, time_zone="Paris"))
        error = caught.exception
        self.assertEqual((error.code, error.reason), ("INVALID_ARGUMENT", "INVALID_REQUEST"))
        self.assertEqual(
            sorted(field for field, _ in error.violations), ["appointment.revision", "appointment.time_zone"]
        )
        self.assertTrue(error.localized_message)

    def test_it_reconciles(self):
        self.send(appointment("held", 2))
        stored = {
            "held": appointment("held", 2),
            "lost": appointment("lost", 1),
            "lagging": appointment("lagging", 4),
            "faulty": appointment("faulty", 1, time_zone="Paris"),
        }
        held = [("held", 2), ("lost", 1), ("lagging", 5), ("faulty", 1), ("gone", 1)]
        found = self.calendar.reconcile(
            self.organisation_id, held, lambda ids: [stored[each] for each in ids if each in stored], batch_size=2
        )
        outcomes = {appointment_id: (outcome, answer) for appointment_id, outcome, answer in found}
        self.assertEqual(
            {appointment_id: outcome for appointment_id, (outcome, _) in outcomes.items()},
            {"lost": "sent", "lagging": "stale", "faulty": "rejected", "gone": "absent"},
        )
        self.assertEqual(outcomes["lost"][1].revision, 1)
        self.assertEqual(reason_name(outcomes["faulty"][1].reason), "INVALID_REQUEST")


if __name__ == "__main__":
    unittest.main()
