//! Calls whose bytes the test writes by itself.

use bytes::{Buf as _, BufMut as _, Bytes};
use futures_util::Stream;
use http::uri::PathAndQuery;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::transport::Channel;
use tonic::{Request, Status, Streaming};

use crate::harness::app::{API_KEY, TestApp};

/// A codec that lets bytes through as they are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining())))
    }
}

fn path(method: &str) -> PathAndQuery {
    format!("/cassius.calendar.v1.{method}").parse().unwrap()
}

/// Calls `Service/Method` with one message of these bytes.
pub(crate) async fn unary(channel: &Channel, method: &str, key: Option<&str>, message: Bytes) -> Result<Bytes, Status> {
    let mut client = tonic::client::Grpc::new(channel.clone());
    client.ready().await.unwrap();
    let mut request = Request::new(message);
    if let Some(key) = key {
        request.metadata_mut().insert("authorization", format!("Bearer {key}").parse().unwrap());
    }
    client.unary(request, path(method), Raw).await.map(tonic::Response::into_inner)
}

/// Opens `Service/Method` with a stream of messages of these bytes.
pub(crate) async fn streaming(
    channel: &Channel,
    method: &str,
    messages: impl Stream<Item = Bytes> + Send + 'static,
) -> Result<Streaming<Bytes>, Status> {
    let mut client = tonic::client::Grpc::new(channel.clone());
    client.ready().await.unwrap();
    let mut request = Request::new(messages);
    request.metadata_mut().insert("authorization", format!("Bearer {API_KEY}").parse().unwrap());
    client.streaming(request, path(method), Raw).await.map(tonic::Response::into_inner)
}

/// Posts a body of bytes, framing included, and answers the status that stands in the headers of the answer.
pub(crate) async fn post(app: &TestApp, method: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Option<Status> {
    let http = crate::harness::http::client().http2_prior_knowledge().build().unwrap();
    let mut request = http
        .post(format!("http://{}/cassius.calendar.v1.{method}", app.running().grpc_address))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .header("authorization", format!("Bearer {API_KEY}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = request.body(body).send().await.unwrap();
    assert_eq!(answer.status(), 200, "errors of gRPC travel in its own status");
    Status::from_header_map(answer.headers())
}

/// A message in its frame.
pub(crate) fn framed(is_compressed: bool, message: &[u8]) -> Vec<u8> {
    let mut frame = vec![u8::from(is_compressed)];
    frame.extend_from_slice(&u32::try_from(message.len()).unwrap().to_be_bytes());
    frame.extend_from_slice(message);
    frame
}
