//! What each method needs: how large its messages may be, and whether it takes a stream of them.
//!
//! Owns the limits, and reads from the description of the wire which method has which. Never reads a request. Invariant:
//! a method of the wire has its limit from the day on that it is described.

use std::collections::HashMap;
use std::sync::Arc;

use prost::Message as _;
use prost_types::FileDescriptorSet;
use prost_types::field_descriptor_proto::Label;

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
#[derive(Debug, Clone, Copy)]
pub(super) struct Need {
    /// The bytes of one message.
    pub(super) max_bytes: usize,
    /// Whether it takes a stream of messages.
    pub(super) is_stream: bool,
    /// Whether anybody may call it.
    pub(super) is_open: bool,
}

impl Needs {
    /// Those of all methods that these files describe.
    pub(in crate::grpc) fn described(descriptors: &[u8]) -> Self {
        let files = FileDescriptorSet::decode(descriptors).expect("the description of the wire is compiled in").file;
        let mut messages = HashMap::new();
        for file in &files {
            for message in &file.message_type {
                messages.insert(format!(".{}.{}", file.package(), message.name()), message);
            }
        }
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
                    };
                    methods.insert(format!("/{}.{}/{}", file.package(), service.name(), method.name()), need);
                }
            }
        }
        Self(Methods::Described(Arc::new(methods)))
    }

    /// Those of methods that anybody may call, with one message or a stream.
    pub(in crate::grpc) fn open(is_stream: bool) -> Self {
        Self(Methods::Alike(Need { max_bytes: MAX_OPEN_BYTES, is_stream, is_open: true }))
    }

    /// Whether there is a method at a path.
    pub(in crate::grpc) fn are_of(&self, path: &str) -> bool {
        self.of(path).is_some()
    }

    /// The need of the method at a path; `None`: it is not described.
    pub(super) fn of(&self, path: &str) -> Option<Need> {
        match &self.0 {
            Methods::Alike(need) => Some(*need),
            Methods::Described(methods) => methods.get(path).copied(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grpc::pb;

    fn need(method: &str) -> Need {
        let needs = Needs::described(pb::DESCRIPTORS);
        needs.of(&format!("/cassius.calendar.v1.{method}")).expect("a method of the wire")
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
}
