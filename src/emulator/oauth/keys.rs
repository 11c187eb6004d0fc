//! The key that signs id tokens, and its public half under `/oauth2/v3/certs`.
//!
//! Owns both. It never knows what a token claims. The key is no secret: it stands in this repository and vouches for
//! nothing but this emulator. Invariant: what [`signed`] answers is verified by the key that [`certs`] lists.

use std::sync::{Arc, LazyLock};

use axum::extract::State;
use axum::response::Response;
use data_encoding::BASE64URL_NOPAD;
use ring::rand::SystemRandom;
use ring::rsa::{KeyPair, PublicKeyComponents};
use ring::signature::RSA_PKCS1_SHA256;
use serde_json::{Value, json};

use super::super::Shared;
use super::super::call::{Call, perform};
use super::super::response::Answer;

const KEY_ID: &str = "emulated";

static KEY: LazyLock<KeyPair> = LazyLock::new(|| {
    KeyPair::from_pkcs8(include_bytes!("id-token-key.pk8")).expect("the key beside this file is an RSA key in PKCS #8")
});

/// A JSON Web Token of these claims.
pub(crate) fn signed(claims: &Value) -> String {
    let part = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    let token = format!("{}.{}", part(&json!({"alg": "RS256", "kid": KEY_ID, "typ": "JWT"})), part(claims));
    let mut signature = vec![0; KEY.public().modulus_len()];
    // What is drawn here only blinds the computation: the signature is the same for the same token.
    KEY.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), token.as_bytes(), &mut signature)
        .expect("the signature is as long as the modulus");
    format!("{token}.{}", BASE64URL_NOPAD.encode(&signature))
}

/// `GET /oauth2/v3/certs`: the public keys, as a JSON Web Key Set.
pub(crate) async fn certs(State(shared): State<Arc<Shared>>) -> Response {
    perform(&shared, Call { operation: "certs", ..Call::default() }, |_, _| {
        let PublicKeyComponents::<Vec<u8>> { n, e } = KEY.public().into();
        let number = |bytes: &[u8]| BASE64URL_NOPAD.encode(bytes);
        let key = json!({
            "kty": "RSA",
            "alg": "RS256",
            "use": "sig",
            "kid": KEY_ID,
            "n": number(&n),
            "e": number(&e),
        });
        Ok(Answer::read(json!({"keys": [key]})))
    })
    .await
}
