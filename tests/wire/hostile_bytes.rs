//! Bytes that are no messages: an answer, nothing stored, and a server that goes on.

use std::io::Write as _;

use bytes::Bytes;
use prost::Message as _;
use tonic::Code;

use super::callers::bare;
use super::raw::{framed, post, unary};
use super::refused::{read, refused};
use crate::harness::app::{API_KEY, TestApp};
use crate::harness::backends::{apply, both_backends};
use crate::harness::samples::appointment;

use cassius_calendar::grpc::pb::{ListAppointmentLinksRequest, SyncAppointmentRequest};

const SYNC: &str = "AppointmentSync/SyncAppointment";

fn message() -> Vec<u8> {
    let whole = SyncAppointmentRequest {
        organisation_id: "cabinet".into(),
        appointment: Some(appointment("rdv", 1)),
        wait: None,
    };
    whole.encode_to_vec()
}

/// The server answers a normal call, and none of the bytes became an appointment.
async fn lives_on(app: &mut TestApp) {
    let request = ListAppointmentLinksRequest { organisation_id: "cabinet".into(), ..Default::default() };
    assert!(app.appointments.list_appointment_links(request).await.unwrap().into_inner().links.is_empty());
}

/// Zeros, deflated by hand as one fixed block of longest matches: about 160 bytes for each byte that travels.
fn gzip_bomb(zeros: usize) -> Vec<u8> {
    let mut bytes = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    let (mut buffer, mut filled) = (0u64, 0u32);
    let mut put = |bits: u64, count: u32, bytes: &mut Vec<u8>| {
        buffer |= bits << filled;
        filled += count;
        while filled >= 8 {
            bytes.push((buffer & 0xff) as u8);
            buffer >>= 8;
            filled -= 8;
        }
    };
    // The last block, fixed codes; a literal 0 (00110000), then matches of 258 (11000101) at distance 1 (00000).
    put(0b011, 3, &mut bytes);
    put(u64::from(0b0011_0000_u8.reverse_bits()), 8, &mut bytes);
    for _ in 0..zeros / 258 {
        put(u64::from(0b1100_0101_u8.reverse_bits()), 8, &mut bytes);
        put(0, 5, &mut bytes);
    }
    put(0, 15, &mut bytes);
    bytes.extend_from_slice(&[0; 8]);
    bytes
}

#[apply(both_backends)]
async fn a_message_cut_anywhere_or_of_random_bytes_is_an_answer_and_never_a_fault_of_ours(app: &mut TestApp) {
    let channel = bare(app).await.channel;
    let whole = message();
    for length in 0..whole.len() {
        let cut = Bytes::copy_from_slice(&whole[..length]);
        let status = unary(&channel, SYNC, Some(API_KEY), cut).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "cut at {length}: {status:?}");
        read(&status, Code::InvalidArgument, "INVALID_REQUEST");
    }
    for seed in 0..64u8 {
        let noise: Vec<u8> = (0..255u8).map(|i| i.wrapping_mul(seed | 1).wrapping_add(seed).rotate_left(3)).collect();
        let answer = unary(&channel, SYNC, Some(API_KEY), noise.into()).await;
        refused(answer, Code::InvalidArgument, "INVALID_REQUEST");
    }
    // A text that is not UTF-8, a length beyond the end, a length that overflows, a group that never ends.
    for bytes in
        [&b"\x0a\x02\xff\xfe"[..], b"\x0a\x7fx", b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", b"\x0b\x0b\x0b"]
    {
        refused(
            unary(&channel, SYNC, Some(API_KEY), Bytes::from_static(bytes)).await,
            Code::InvalidArgument,
            "INVALID_REQUEST",
        );
    }
    // Nested deeper than any message of ours.
    let nested = (0..10_000).fold(Vec::new(), |inner: Vec<u8>, _| {
        if inner.len() > 60_000 { inner } else { [b"\x13".as_slice(), &inner, b"\x14"].concat() }
    });
    refused(unary(&channel, SYNC, Some(API_KEY), nested.into()).await, Code::InvalidArgument, "INVALID_REQUEST");
    lives_on(app).await;
}

#[apply(both_backends)]
async fn a_message_over_4_mib_is_refused_by_its_length(app: &mut TestApp) {
    let channel = bare(app).await.channel;
    let huge = Bytes::from(vec![0; 4 * 1024 * 1024 + 1]);
    refused(unary(&channel, SYNC, Some(API_KEY), huge).await, Code::InvalidArgument, "INVALID_REQUEST");
    // Only the length is large: nothing is waited for and no room is made for it.
    let mut lying = framed(false, &message());
    lying[1..5].copy_from_slice(&u32::MAX.to_be_bytes());
    let status = post(app, SYNC, &[], lying).await.unwrap();
    read(&status, Code::InvalidArgument, "INVALID_REQUEST");
    lives_on(app).await;
}

#[apply(both_backends)]
async fn frames_that_are_none_are_refused(app: &mut TestApp) {
    let whole = framed(false, &message());
    for body in [
        Vec::new(),
        vec![0],
        whole[..whole.len() - 1].to_vec(),
        [&[7], &whole[1..]].concat(),
        b"{\"organisation_id\": \"cabinet\"}".to_vec(),
    ] {
        let status = post(app, SYNC, &[], body).await.unwrap();
        read(&status, Code::InvalidArgument, "INVALID_REQUEST");
    }
    lives_on(app).await;
}

#[apply(both_backends)]
async fn a_bomb_is_refused_and_other_compressions_are_refused_unread(app: &mut TestApp) {
    let bomb = gzip_bomb(256 * 1024 * 1024);
    assert!(bomb.len() < 2 * 1024 * 1024);
    let status = post(app, SYNC, &[("grpc-encoding", "gzip")], framed(true, &bomb)).await.unwrap();
    read(&status, Code::InvalidArgument, "INVALID_REQUEST");
    let status = post(app, SYNC, &[("grpc-encoding", "gzip")], framed(true, b"no gzip")).await.unwrap();
    read(&status, Code::InvalidArgument, "INVALID_REQUEST");
    for encoding in ["deflate", "zstd", "br"] {
        let status = post(app, SYNC, &[("grpc-encoding", encoding)], framed(true, &bomb)).await.unwrap();
        assert_eq!(status.code(), Code::Unimplemented, "{encoding}: {status:?}");
    }
    // Compressed, it says, but not how.
    let status = post(app, SYNC, &[], framed(true, &bomb)).await.unwrap();
    read(&status, Code::InvalidArgument, "INVALID_REQUEST");
    lives_on(app).await;
}

#[apply(both_backends)]
async fn a_compressed_message_is_read_as_the_plain_one_is(app: &mut TestApp) {
    let request = SyncAppointmentRequest {
        organisation_id: "cabinet".into(),
        appointment: Some(appointment("rdv", 1)),
        wait: None,
    };
    let mut compressing = app.appointments.clone().send_compressed(tonic::codec::CompressionEncoding::Gzip);
    let link = compressing.sync_appointment(request).await.unwrap().into_inner().link.unwrap();
    assert_eq!((link.appointment_id.as_str(), link.revision), ("rdv", 1));
}

// A gzip may have several members (RFC 1952): what a reader of the first alone takes for a whole message is a part of one.
#[apply(both_backends)]
async fn a_compressed_message_is_read_to_its_last_member(app: &mut TestApp) {
    let compressed = |plain: &[u8]| {
        let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        writer.write_all(plain).unwrap();
        writer.finish().unwrap()
    };
    let update = SyncAppointmentRequest { appointment: Some(appointment("rdv", 2)), ..Default::default() };
    let members = [compressed(&message()), compressed(&update.encode_to_vec())].concat();
    let answer = post(app, SYNC, &[("grpc-encoding", "gzip")], framed(true, &members)).await;
    assert!(answer.is_none(), "{answer:?}");
    assert_eq!(app.link("cabinet", "rdv").await.revision, 2, "a later field is merged into an earlier one");
    let trailing = [compressed(&message()), b"what is no member".to_vec()].concat();
    let status = post(app, SYNC, &[("grpc-encoding", "gzip")], framed(true, &trailing)).await.unwrap();
    read(&status, Code::InvalidArgument, "INVALID_REQUEST");
}

#[apply(both_backends)]
async fn what_is_no_grpc_is_told_so(app: &mut TestApp) {
    let http = crate::harness::http::client().http2_prior_knowledge().build().unwrap();
    let at = |path: &str| format!("http://{}{path}", app.running().grpc_address);
    for (method, path) in [
        (reqwest::Method::GET, "/"),
        (reqwest::Method::GET, "/cassius.calendar.v1.AppointmentSync/SyncAppointment"),
        (reqwest::Method::POST, "/cassius.calendar.v1.AppointmentSync/Unknown"),
        (reqwest::Method::POST, "/cassius.calendar.v1.Unknown/SyncAppointment"),
        (reqwest::Method::POST, "/../../etc/passwd"),
    ] {
        let answer =
            http.request(method, at(path)).header("authorization", format!("Bearer {API_KEY}")).send().await.unwrap();
        let told = answer.headers().get("grpc-status").map(|status| status.to_str().unwrap().to_owned());
        assert!(answer.status() != 200 || told.is_some_and(|status| status != "0"), "{path}");
    }
    lives_on(app).await;
}
