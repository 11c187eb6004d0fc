"""Speaks to cassius-calendar: calls with a deadline and retries, errors by their details, reconciliation.

The wire itself is in `cassius.calendar.v1`, generated from the service's protocol. Every call is idempotent, so that one
whose answer was lost is sent again.
"""

import random
import time
from itertools import islice

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from cassius.calendar.v1 import appointment_sync_pb2 as sync_pb2
from cassius.calendar.v1 import appointment_sync_pb2_grpc, calendar_integration_pb2_grpc, error_reason_pb2

DOMAIN = "calendar.cassius"
FIRST_WAIT_S = 0.1
LONGEST_WAIT_S = 2.0


class CalendarError(Exception):
    """A call that failed. Program against `reason`; treat one you do not know by `code`."""

    def __init__(self, error):
        super().__init__(error.details())
        self.code = error.code().name
        self.reason = None
        self.incident = None
        self.violations = []
        self.localized_message = None
        self.retry_after_s = None
        status = rpc_status.from_call(error)
        for detail in status.details if status else ():
            self._read(detail)

    def _read(self, detail):
        info = error_details_pb2.ErrorInfo()
        request = error_details_pb2.BadRequest()
        retry = error_details_pb2.RetryInfo()
        message = error_details_pb2.LocalizedMessage()
        if detail.Unpack(info) and info.domain == DOMAIN:
            self.reason = info.reason
            self.incident = info.metadata.get("incident")
        elif detail.Unpack(request):
            self.violations += [(each.field, each.description) for each in request.field_violations]
        elif detail.Unpack(retry):
            self.retry_after_s = retry.retry_delay.ToTimedelta().total_seconds()
        elif detail.Unpack(message):
            self.localized_message = message.message


class Calendar:
    """A connection to cassius-calendar: one a process, made after a fork, not before."""

    def __init__(self, address, api_key=None, root_certificates=None, plaintext=False, language="fr"):
        """`address` is host and port. `plaintext` is for loopback, or behind a mesh that encrypts by itself."""
        options = [("grpc.keepalive_time_ms", 20_000), ("grpc.keepalive_timeout_ms", 5_000)]
        if plaintext:
            self.channel = grpc.insecure_channel(address, options)
        else:
            self.channel = grpc.secure_channel(address, grpc.ssl_channel_credentials(root_certificates), options)
        self.metadata = [("accept-language", language)]
        if api_key:
            self.metadata.append(("authorization", f"Bearer {api_key.strip()}"))
        self.appointments = appointment_sync_pb2_grpc.AppointmentSyncStub(self.channel)
        self.integration = calendar_integration_pb2_grpc.CalendarIntegrationStub(self.channel)

    def call(self, method, request, timeout_s=10.0, tries=4):
        """Makes a call with one answer. UNAVAILABLE is tried again, not before the service says, within the deadline."""
        deadline = time.monotonic() + timeout_s
        for attempt in range(1, tries + 1):
            try:
                return method(request, timeout=max(deadline - time.monotonic(), 0.001), metadata=self.metadata)
            except grpc.RpcError as thrown:
                error = CalendarError(thrown)
                backoff_s = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2**attempt) * random.uniform(0.5, 1)
                wait_s = (error.retry_after_s or 0) + backoff_s
                is_last = attempt == tries or wait_s >= deadline - time.monotonic()
                if error.code != "UNAVAILABLE" or is_last:
                    raise error from thrown
                time.sleep(wait_s)

    def reconcile(self, organisation_id, held, load, batch_size=500):
        """Finds what the service lacks or holds older, and sends it. Yields (appointment id, outcome, link or rejection).

        `held` yields (id, revision) of what changed since the last good run, and is read a batch at a time, in this
        thread: no connection of a database is held between two batches. `load` answers the `Appointment`s of some ids as
        they stand now. The outcome is "sent", "stale" (`load` gave an older revision than `held`), "absent" (`load` had
        it no more) or "rejected" (with its reason and violations). Whatever it breaks off at, running it again is right.
        """
        rows = iter(held)
        while batch := list(islice(rows, batch_size)):
            yield from self._reconcile(organisation_id, dict(batch), load)

    def _reconcile(self, organisation_id, revisions, load):
        asked = (
            sync_pb2.ReconcileAppointmentsRequest(
                organisation_id=organisation_id, appointment_id=appointment_id, revision=revision
            )
            for appointment_id, revision in revisions.items()
        )
        try:
            named = [each.appointment_id for each in self._stream(self.appointments.ReconcileAppointments, asked)]
            loaded = {each.appointment_id: each for each in load(named)} if named else {}
            current = []
            for appointment_id in named:
                if appointment_id not in loaded:
                    yield appointment_id, "absent", None
                elif loaded[appointment_id].revision < revisions[appointment_id]:
                    yield appointment_id, "stale", None
                else:
                    current.append(loaded[appointment_id])
            requests = (
                sync_pb2.SyncAppointmentsRequest(organisation_id=organisation_id, appointment=each) for each in current
            )
            answers = self._stream(self.appointments.SyncAppointments, requests) if current else ()
            for appointment, answer in zip(current, answers):
                outcome = "sent" if answer.HasField("link") else "rejected"
                yield appointment.appointment_id, outcome, answer.link if outcome == "sent" else answer.rejection
        except grpc.RpcError as thrown:
            raise CalendarError(thrown) from thrown

    def _stream(self, method, requests):
        return method(requests, metadata=self.metadata)

    def close(self):
        """Closes the connection."""
        self.channel.close()


def reason_name(reason):
    """The name of a reason without its prefix, such as "EVENT_REFUSED"; "INTERNAL" for one that is newer than this."""
    names = error_reason_pb2.ErrorReason.DESCRIPTOR.values_by_number
    return names[reason].name.removeprefix("ERROR_REASON_") if reason in names else "INTERNAL"
