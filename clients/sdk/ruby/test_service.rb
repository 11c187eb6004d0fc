# frozen_string_literal: true

# The Ruby package against a running service, whose address is in CALENDAR_ADDRESS.
require "minitest/autorun"
require "securerandom"

require "cassius_calendar"

class AgainstTheService < Minitest::Test
  V1 = CassiusCalendar::V1
  DAY_S = 86_400

  def setup
    @organisation_id = "ruby-#{SecureRandom.uuid}"
    @calendar = CassiusCalendar::Calendar.new(ENV.fetch("CALENDAR_ADDRESS"), plaintext: true)
  end

  def appointment(id, revision, **change)
    start = Time.now.to_i + 2 * DAY_S
    fields = {
      appointment_id: id, revision: revision, state: :APPOINTMENT_STATE_SCHEDULED, type: "Implant",
      patient_name: "Camille Exemple", time_zone: "Europe/Paris",
      start_time: Google::Protobuf::Timestamp.new(seconds: start),
      end_time: Google::Protobuf::Timestamp.new(seconds: start + 1800)
    }
    V1::Appointment.new(**fields, **change)
  end

  def send_it(snapshot)
    request = V1::SyncAppointmentRequest.new(organisation_id: @organisation_id, appointment: snapshot)
    @calendar.call(@calendar.appointments, :sync_appointment, request)
  end

  def test_it_connects_and_sends
    request = V1::GetStatusRequest.new(organisation_id: @organisation_id)
    status = @calendar.call(@calendar.integration, :get_status, request).status
    assert_equal :INTEGRATION_STATE_NOT_CONNECTED, status.state
    link = send_it(appointment("rdv", 7)).link
    assert_equal ["rdv", 7, :SYNC_STATUS_NONE], [link.appointment_id, link.revision, link.sync_status]
  end

  def test_an_error_is_read_by_its_details
    error = assert_raises(CassiusCalendar::Error) { send_it(appointment("rdv", 0, time_zone: "Paris")) }
    assert_equal [:INVALID_ARGUMENT, "INVALID_REQUEST"], [error.code, error.reason]
    assert_equal %w[appointment.revision appointment.time_zone], error.violations.map(&:first).sort
    refute_empty error.localized_message
  end

  def test_it_reconciles
    send_it(appointment("held", 2))
    stored = [
      appointment("held", 2), appointment("lost", 1), appointment("lagging", 4),
      appointment("faulty", 1, time_zone: "Paris")
    ].to_h { |each| [each.appointment_id, each] }
    held = [["held", 2], ["lost", 1], ["lagging", 5], ["faulty", 1], ["gone", 1]]
    load = ->(ids) { stored.values_at(*ids).compact }
    found = @calendar.reconcile(@organisation_id, held, load: load, batch_size: 2).to_a
    outcomes = found.to_h { |id, outcome, _| [id, outcome] }
    assert_equal({ "lost" => :sent, "lagging" => :stale, "faulty" => :rejected, "gone" => :absent }, outcomes)
    answers = found.to_h { |id, _, answer| [id, answer] }
    assert_equal 1, answers["lost"].revision
    assert_equal :ERROR_REASON_INVALID_REQUEST, answers["faulty"].reason
  end
end
