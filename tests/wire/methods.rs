//! Every RPC of the two services, as the descriptor set lists them: one that is added is tried like the others.

use bytes::Bytes;
use cassius_calendar::grpc::pb::DESCRIPTORS;
use prost::Message as _;
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, FieldDescriptorProto, FileDescriptorSet};

/// An RPC.
pub(crate) struct Method {
    /// `Service/Method`.
    pub(crate) path: String,
    /// Whether its caller sends a stream.
    pub(crate) takes_a_stream: bool,
    request: DescriptorProto,
}

/// All of them.
pub(crate) fn all() -> Vec<Method> {
    let set = FileDescriptorSet::decode(DESCRIPTORS).unwrap();
    let request_of = |name: &str| {
        let named = set.file.iter().flat_map(|file| &file.message_type).find(|message| name.ends_with(message.name()));
        named.unwrap_or_else(|| panic!("no message {name}")).clone()
    };
    let services = set.file.iter().flat_map(|file| &file.service);
    let methods = services.flat_map(|service| service.method.iter().map(move |method| (service, method)));
    methods
        .map(|(service, method)| Method {
            path: format!("{}/{}", service.name(), method.name()),
            takes_a_stream: method.client_streaming(),
            request: request_of(&format!(".{}", method.input_type().rsplit('.').next().unwrap())),
        })
        .collect()
}

impl Method {
    /// Whether it is about all organisations that its caller's key stands for, and names none.
    pub(crate) fn is_about_all(&self) -> bool {
        !self.request.field.iter().any(|field| field.name() == "organisation_id")
    }

    /// A request for this organisation, and nonsense in every other field: none of it is looked at before the key is.
    pub(crate) fn nonsense_for(&self, organisation: &str) -> Bytes {
        let mut message = Vec::new();
        let names = |field: &&FieldDescriptorProto| field.name() == "organisation_id";
        let its = self.request.field.iter().find(names);
        assert!(its.is_some() || self.is_about_all(), "{}", self.path);
        its.into_iter().for_each(|its| put(&mut message, its, organisation.as_bytes()));
        for field in self.request.field.iter().filter(|field| !names(field)) {
            put(&mut message, field, b"javascript:alert(1)");
        }
        message.into()
    }
}

/// A field with this text, or with a number that means nothing.
fn put(message: &mut Vec<u8>, field: &FieldDescriptorProto, text: &[u8]) {
    let key = u64::try_from(field.number()).unwrap() << 3;
    let mut varint = |number| prost::encoding::encode_varint(number, message);
    match field.r#type() {
        Type::String | Type::Bytes => {
            varint(key | 2);
            varint(text.len() as u64);
            message.extend_from_slice(text);
        }
        Type::Message => {
            varint(key | 2);
            varint(0);
        }
        // A list of numbers is packed; none of the requests has one.
        _ if field.label() == Label::Repeated => panic!("{}: a list of numbers", field.name()),
        Type::Enum => {
            varint(key);
            varint(99);
        }
        Type::Int32 | Type::Int64 => {
            varint(key);
            varint(u64::MAX);
        }
        Type::Bool => {
            varint(key);
            varint(1);
        }
        other => panic!("{}: {other:?}", field.name()),
    }
}
