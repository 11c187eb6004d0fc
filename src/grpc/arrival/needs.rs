//! What each method needs: how large its messages may be, and whether it takes a stream of them.
//!
//! Owns the limits, and reads from the description of the wire which method has which. Never reads a request, but to
//! name the field that goes beyond. Invariant: a method of the wire has its limit from the day on that it is described.

use std::collections::HashMap;
use std::sync::Arc;

use prost::Message as _;
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, FileDescriptorSet};

/// A message about one appointment or one organisation.
const MAX_BYTES: usize = 64 * 1024;
/// A message with a list, of ids for instance.
const MAX_LIST_BYTES: usize = 1024 * 1024;
/// A message that anybody may send.
const MAX_OPEN_BYTES: usize = 1024;

/// The needs of the methods of a service.
#[derive(Debug, Clone)]
pub(in crate::grpc) struct Needs(Methods);

#[derive(Debug, Clone)]
enum Methods {
    Alike(Need),
    Described(Arc<HashMap<String, Need>>),
}

/// What one method needs.
#[derive(Debug, Clone)]
pub(super) struct Need {
    /// The bytes of one message.
    pub(super) max_bytes: usize,
    /// Whether it takes a stream of messages.
    pub(super) is_stream: bool,
    /// Whether anybody may call it.
    pub(super) is_open: bool,
    /// What its message looks like, where it is described.
    request: Option<(String, Arc<HashMap<String, DescriptorProto>>)>,
}

impl Needs {
    /// Those of all methods that these files describe.
    pub(in crate::grpc) fn described(descriptors: &[u8]) -> Self {
        let files = FileDescriptorSet::decode(descriptors).expect("the description of the wire is compiled in").file;
        let mut messages = HashMap::new();
        for file in &files {
            for message in &file.message_type {
                messages.insert(format!(".{}.{}", file.package(), message.name()), message.clone());
            }
        }
        let messages = Arc::new(messages);
        let mut methods = HashMap::new();
        for file in &files {
            for service in &file.service {
                for method in &service.method {
                    let has_list = messages
                        .get(method.input_type())
                        .is_some_and(|message| message.field.iter().any(|field| field.label() == Label::Repeated));
                    let need = Need {
                        max_bytes: if has_list { MAX_LIST_BYTES } else { MAX_BYTES },
                        is_stream: method.client_streaming(),
                        is_open: false,
                        request: Some((method.input_type().to_owned(), messages.clone())),
                    };
                    methods.insert(format!("/{}.{}/{}", file.package(), service.name(), method.name()), need);
                }
            }
        }
        Self(Methods::Described(Arc::new(methods)))
    }

    /// Those of methods that anybody may call, with one message or a stream.
    pub(in crate::grpc) fn open(is_stream: bool) -> Self {
        Self(Methods::Alike(Need { max_bytes: MAX_OPEN_BYTES, is_stream, is_open: true, request: None }))
    }

    /// The need of the method at a path; `None`: it is not described.
    pub(super) fn of(&self, path: &str) -> Option<&Need> {
        match &self.0 {
            Methods::Alike(need) => Some(need),
            Methods::Described(methods) => methods.get(path),
        }
    }
}

impl Need {
    /// The field of a message, which begins so, that goes on beyond what is shown of it.
    pub(super) fn field_beyond(&self, mut shown: &[u8]) -> Option<String> {
        let (name, messages) = self.request.as_ref()?;
        let mut message = messages.get(name)?;
        let mut path = Vec::new();
        loop {
            let key = varint(&mut shown)?;
            let length = match key & 7 {
                0 => {
                    varint(&mut shown)?;
                    continue;
                }
                1 => 8,
                2 => usize::try_from(varint(&mut shown)?).ok()?,
                5 => 4,
                _ => return None,
            };
            if let Some((_, rest)) = shown.split_at_checked(length) {
                shown = rest;
                continue;
            }
            let field = message.field.iter().find(|field| u64::try_from(field.number()) == Ok(key >> 3))?;
            path.push(field.name());
            match messages.get(field.type_name()).filter(|_| field.r#type() == Type::Message) {
                Some(inner) => message = inner,
                None => return Some(path.join(".")),
            }
        }
    }
}

/// Takes a number of protobuf from the front.
fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grpc::pb;

    fn need(method: &str) -> Need {
        let needs = Needs::described(pb::DESCRIPTORS);
        needs.of(&format!("/cassius.calendar.v1.{method}")).expect("a method of the wire").clone()
    }

    #[test]
    fn each_method_has_the_limit_of_what_it_takes() {
        for (method, max_bytes, is_stream) in [
            ("AppointmentSync/SyncAppointment", MAX_BYTES, false),
            ("AppointmentSync/SyncAppointments", MAX_BYTES, true),
            ("AppointmentSync/ReconcileAppointments", MAX_BYTES, true),
            ("AppointmentSync/RetryAppointments", MAX_LIST_BYTES, false),
            ("CalendarIntegration/WatchStatus", MAX_BYTES, false),
        ] {
            let need = need(method);
            assert_eq!((need.max_bytes, need.is_stream), (max_bytes, is_stream), "{method}");
        }
        assert!(Needs::described(pb::DESCRIPTORS).of("/cassius.calendar.v1.AppointmentSync/Unknown").is_none());
    }

    #[test]
    fn the_field_that_goes_beyond_is_named_by_its_path() {
        let beyond = |request: pb::SyncAppointmentRequest| {
            let bytes = request.encode_to_vec();
            need("AppointmentSync/SyncAppointment").field_beyond(&bytes[..MAX_BYTES])
        };
        let long = || "x".repeat(100_000);
        let organisation = pb::SyncAppointmentRequest { organisation_id: long(), ..Default::default() };
        assert_eq!(beyond(organisation).as_deref(), Some("organisation_id"));
        let appointment = pb::Appointment {
            appointment_id: "rdv".to_owned(),
            revision: 1,
            start_time: Some(prost_types::Timestamp { seconds: 1, nanos: 2 }),
            time_zone: long(),
            ..Default::default()
        };
        let zone = pb::SyncAppointmentRequest { appointment: Some(appointment), ..Default::default() };
        assert_eq!(beyond(zone).as_deref(), Some("appointment.time_zone"));
        assert_eq!(need("AppointmentSync/SyncAppointment").field_beyond(&[0xff; 100]), None, "it is no message");
    }
}
