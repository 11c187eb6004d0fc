//! The signature of id tokens, and the keys by which anybody verifies it.
//!
//! Owns the one key pair. It never knows a claim. The private half is in the source, for the whole world to read: it vouches
//! for an emulated Google, and for nothing else. Invariant: what is signed here is verified by what `/oauth2/v3/certs`
//! answers, whichever emulator answers it.

use std::sync::{Arc, LazyLock};

use axum::extract::State;
use axum::response::Response;
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use http::HeaderValue;
use http::header::CACHE_CONTROL;
use ring::rand::SystemRandom;
use ring::rsa::{KeyPair, PublicKeyComponents};
use ring::signature::RSA_PKCS1_SHA256;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::super::Shared;
use super::super::call::{Call, perform};
use super::super::response::Answer;

/// What Google signs with, of the algorithms of JSON Web Tokens.
pub(crate) const ALGORITHM: &str = "RS256";

static KEY: LazyLock<KeyPair> =
    LazyLock::new(|| KeyPair::from_pkcs8(include_bytes!("signing-key.p8")).expect("the file is an RSA key in PKCS #8"));

/// The key's name in the header of a token: a digest of it, as Google's are 40 hexadecimal digits.
pub(crate) static KEY_ID: LazyLock<String> = LazyLock::new(|| HEXLOWER.encode(&Sha256::digest(KEY.public())[..20]));

/// The signature of `message`.
pub(crate) fn sign(message: &str) -> Vec<u8> {
    let mut signature = vec![0; KEY.public().modulus_len()];
    KEY.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature)
        .expect("the signature is as long as the modulus");
    signature
}

/// `GET /oauth2/v3/certs`: a JSON Web Key Set, which the reader may keep for as long as Google's.
pub(crate) async fn keys(State(shared): State<Arc<Shared>>) -> Response {
    let call = Call { operation: "certs", ..Call::default() };
    let mut response = perform(&shared, call, |_, _| {
        let PublicKeyComponents::<Vec<u8>> { n, e } = KEY.public().into();
        let key = json!({
            "kty": "RSA",
            "use": "sig",
            "alg": ALGORITHM,
            "kid": *KEY_ID,
            "n": BASE64URL_NOPAD.encode(&n),
            "e": BASE64URL_NOPAD.encode(&e),
        });
        Ok(Answer::read(json!({"keys": [key]})))
    })
    .await;
    if response.status().is_success() {
        let kept = HeaderValue::from_static("public, max-age=21600, must-revalidate, no-transform");
        response.headers_mut().insert(CACHE_CONTROL, kept);
    }
    response
}
