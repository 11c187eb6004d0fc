# frozen_string_literal: true

require "google/protobuf/well_known_types"
require "google/rpc/error_details_pb"
require "grpc"

require "cassius/calendar/v1/appointment_sync_services_pb"
require "cassius/calendar/v1/calendar_integration_services_pb"

# Speaks to cassius-calendar: calls with a deadline and retries, errors by their details, reconciliation.
#
# The wire itself is in `Cassius::Calendar::V1`, generated from the service's protocol. Every call is idempotent, so that one
# whose answer was lost is sent again.
module CassiusCalendar
  V1 = Cassius::Calendar::V1
  FIRST_WAIT_S = 0.1
  LONGEST_WAIT_S = 2.0

  # A call that failed. Program against `reason`; treat one you do not know by `code`.
  class Error < StandardError
    DOMAIN = "calendar.cassius"
    # As a symbol, such as :UNAVAILABLE.
    attr_reader :code, :reason, :incident, :violations, :localized_message, :retry_after_s

    def initialize(error)
      super(error.details)
      names = GRPC::Core::StatusCodes.constants
      @code = names.find { |name| GRPC::Core::StatusCodes.const_get(name) == error.code } || :UNKNOWN
      @violations = []
      error.to_rpc_status&.details&.each { |detail| read(detail) }
    end

    private

    def read(detail)
      if (info = detail.unpack(Google::Rpc::ErrorInfo))
        return unless info.domain == DOMAIN

        @reason = info.reason
        @incident = info.metadata["incident"]
      elsif (request = detail.unpack(Google::Rpc::BadRequest))
        @violations += request.field_violations.map { |each| [each.field, each.description] }
      elsif (retry_info = detail.unpack(Google::Rpc::RetryInfo))
        @retry_after_s = retry_info.retry_delay.seconds + retry_info.retry_delay.nanos / 1e9
      elsif (message = detail.unpack(Google::Rpc::LocalizedMessage))
        @localized_message = message.message
      end
    end
  end

  # A connection to cassius-calendar: one a process, made after a fork, not before.
  class Calendar
    attr_reader :appointments, :integration, :metadata

    # `address` is host and port. `plaintext` is for loopback, or behind a mesh that encrypts by itself.
    def initialize(address, api_key: nil, root_certificates: nil, plaintext: false, language: "fr")
      credentials = plaintext ? :this_channel_is_insecure : GRPC::Core::ChannelCredentials.new(root_certificates)
      args = { "grpc.keepalive_time_ms" => 20_000, "grpc.keepalive_timeout_ms" => 5_000 }
      @metadata = { "accept-language" => language }
      @metadata["authorization"] = "Bearer #{api_key.strip}" if api_key
      @appointments = V1::AppointmentSync::Stub.new(address, credentials, channel_args: args)
      @integration = V1::CalendarIntegration::Stub.new(address, credentials, channel_args: args)
    end

    # Makes a call with one answer, such as `call(calendar.integration, :get_status, request)`. UNAVAILABLE is tried again,
    # not before the service says, within the deadline.
    def call(stub, method, request, timeout_s: 10, tries: 4)
      deadline = Time.now + timeout_s
      attempt = 0
      begin
        attempt += 1
        stub.public_send(method, request, deadline: deadline, metadata: metadata)
      rescue GRPC::BadStatus => e
        error = Error.new(e)
        backoff_s = [LONGEST_WAIT_S, FIRST_WAIT_S * (2**attempt)].min * (0.5 + rand / 2)
        wait_s = (error.retry_after_s || 0) + backoff_s
        raise error if error.code != :UNAVAILABLE || attempt == tries || Time.now + wait_s >= deadline

        sleep wait_s
        retry
      end
    end

    # Finds what the service lacks or holds older, and sends it. Yields appointment id, outcome, and link or rejection.
    #
    # `held` yields [id, revision] of what changed since the last good run, and is read a batch at a time, in this thread: no
    # connection of a database is held between two batches. The block `load` answers the appointments of some ids as they
    # stand now. The outcome is :sent, :stale (`load` gave an older revision than `held`), :absent (`load` had it no more) or
    # :rejected (with its reason and violations). Whatever it breaks off at, running it again is right.
    def reconcile(organisation_id, held, load:, batch_size: 500, &told)
      return enum_for(:reconcile, organisation_id, held, load: load, batch_size: batch_size) unless told

      held.each_slice(batch_size) { |rows| reconcile_batch(organisation_id, rows.to_h, load, &told) }
    rescue GRPC::BadStatus => e
      raise Error.new(e)
    end

    private

    def reconcile_batch(organisation_id, revisions, load, &told)
      named = missing(organisation_id, revisions)
      return if named.empty?

      loaded = load.call(named).to_h { |each| [each.appointment_id, each] }
      current = named.filter_map do |id|
        appointment = loaded[id]
        next appointment if appointment && appointment.revision >= revisions.fetch(id)

        told.call(id, appointment ? :stale : :absent, nil)
        nil
      end
      send_all(organisation_id, current, &told)
    end

    def missing(organisation_id, revisions)
      asked = revisions.map do |id, revision|
        V1::ReconcileAppointmentsRequest.new(organisation_id: organisation_id, appointment_id: id, revision: revision)
      end
      appointments.reconcile_appointments(asked, metadata: metadata).map(&:appointment_id)
    end

    def send_all(organisation_id, current)
      return if current.empty?

      requests = current.map do |each|
        V1::SyncAppointmentsRequest.new(organisation_id: organisation_id, appointment: each)
      end
      appointments.sync_appointments(requests, metadata: metadata).zip(current) do |answer, appointment|
        outcome = answer.result == :link ? :sent : :rejected
        yield appointment.appointment_id, outcome, answer.public_send(answer.result)
      end
    end
  end
end
