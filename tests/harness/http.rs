//! HTTP clients of loopback.

/// A client that speaks no TLS: to read the system's authorities takes longer than many a test.
pub(crate) fn client() -> reqwest::ClientBuilder {
    // It wants a provider all the same; a second call is no harm.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().tls_certs_only([])
}
