//! The deadline that a call comes with.
//!
//! Owns how the header `grpc-timeout` reads: the transport's server has its own reading of it, which is not to be had
//! without its accept loop. Never waits. Invariant: a header that is none of these is no deadline.

use std::time::Duration;

use http::HeaderMap;

/// How long the caller waits for an answer; `None`: as long as it takes.
pub(super) fn deadline(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get("grpc-timeout")?.to_str().ok()?;
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let is_number = (1..=8).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
    let number: u64 = number.parse().ok().filter(|_| is_number)?;
    Some(match unit {
        "H" => Duration::from_secs(number * 3_600),
        "M" => Duration::from_secs(number * 60),
        "S" => Duration::from_secs(number),
        "m" => Duration::from_millis(number),
        "u" => Duration::from_micros(number),
        "n" => Duration::from_nanos(number),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_unit_is_read_and_what_is_none_is_no_deadline() {
        let read = |text: &str| {
            let value = http::HeaderValue::from_str(text).expect("a header value");
            deadline(&[(http::HeaderName::from_static("grpc-timeout"), value)].into_iter().collect())
        };
        assert_eq!(read("2H"), Some(Duration::from_secs(7_200)));
        assert_eq!(read("3M"), Some(Duration::from_secs(180)));
        assert_eq!(read("99999999S"), Some(Duration::from_secs(99_999_999)));
        assert_eq!(read("5m"), Some(Duration::from_millis(5)));
        assert_eq!(read("5u"), Some(Duration::from_micros(5)));
        assert_eq!(read("0n"), Some(Duration::ZERO));
        for none in ["", "S", "123456789S", "1", "1s", "-1S", "+1S", "1.5S", "é"] {
            assert_eq!(read(none), None, "{none}");
        }
        assert_eq!(deadline(&HeaderMap::new()), None);
    }
}
