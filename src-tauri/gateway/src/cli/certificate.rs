//! What a certificate says of itself: from when to when, and for whom.

use std::net::IpAddr;

use rustls::client::verify_server_name;
use rustls::server::ParsedCertificate;
use rustls_pki_types::{CertificateDer, ServerName};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;

/// Days before its end from which on a certificate wants to be renewed: those that renew themselves do it at 30.
const SOON_DAYS: i64 = 21;
const DAY_S: i64 = 24 * 3_600;

/// What is wrong with a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Nobody will believe it.
    Wrong(String),
    /// It still holds.
    Soon(String),
}

/// Judges a chain at a time (seconds UTC), for a host where one is known. None: for so many days it is good.
///
/// # Errors
/// What is wrong, and what to do.
pub(crate) fn judge(chain: &[CertificateDer<'_>], host: Option<&str>, now_s: i64) -> Result<i64, Trouble> {
    let mut left_days = i64::MAX;
    for (nth, der) in chain.iter().enumerate() {
        let (_, certificate) = X509Certificate::from_der(der)
            .map_err(|error| Trouble::Wrong(format!("certificate {} can't be read: {error}", nth + 1)))?;
        let validity = certificate.validity();
        let (from, to) = (validity.not_before.timestamp(), validity.not_after.timestamp());
        let whose = certificate.subject().to_string();
        if now_s < from {
            let days = (from - now_s) / DAY_S + 1;
            let what = format!("{whose} holds only in {days} days: is the clock right?");
            return Err(Trouble::Wrong(what));
        }
        if now_s > to {
            let days = (now_s - to) / DAY_S;
            let what = format!("{whose} ended {days} days ago ({}): renew it", validity.not_after);
            return Err(Trouble::Wrong(what));
        }
        left_days = left_days.min((to - now_s) / DAY_S);
        if nth == 0
            && let Some(host) = host
            && !is_for(der, host)
        {
            let names = names(&certificate).join(", ");
            let what = format!("it is for {names}, and public_url says {host}");
            return Err(Trouble::Wrong(what));
        }
    }
    if left_days < SOON_DAYS {
        return Err(Trouble::Soon(format!("it ends in {left_days} days: renew it")));
    }
    Ok(left_days)
}

/// Names and addresses that it is for.
fn names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(names)) = certificate.subject_alternative_name() else {
        return Vec::new();
    };
    names.value.general_names.iter().filter_map(name).collect()
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some(name.to_ascii_lowercase()),
        GeneralName::IPAddress(bytes) => {
            let four = <[u8; 4]>::try_from(*bytes).map(IpAddr::from);
            let address = four.or_else(|_| <[u8; 16]>::try_from(*bytes).map(IpAddr::from));
            address.ok().map(|address| address.to_string())
        }
        _ => None,
    }
}

/// By the same rules by which a desk judges it when it connects.
fn is_for(der: &CertificateDer<'_>, host: &str) -> bool {
    let name = ServerName::try_from(host);
    let certificate = ParsedCertificate::try_from(der);
    matches!((certificate, name), (Ok(certificate), Ok(name)) if verify_server_name(&certificate, &name).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-06-01 and so many days.
    fn at(days: i64) -> i64 {
        1_780_272_000 + days * DAY_S
    }

    fn chain(names: &[&str]) -> Vec<CertificateDer<'static>> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = rcgen::CertificateParams::new(names).unwrap();
        params.not_before = rcgen::date_time_ymd(2026, 6, 1);
        params.not_after = rcgen::date_time_ymd(2026, 8, 30);
        let key = rcgen::KeyPair::generate().unwrap();
        vec![params.self_signed(&key).unwrap().der().clone()]
    }

    #[test]
    fn a_certificate_is_judged_by_its_own_dates() {
        let chain = chain(&["chat.example.com"]);
        assert_eq!(judge(&chain, None, at(1)), Ok(89));
        assert_eq!(judge(&chain, None, at(69)), Ok(21));
        assert!(matches!(judge(&chain, None, at(70)), Err(Trouble::Soon(what)) if what.contains("20 days")));
        assert!(matches!(judge(&chain, None, at(91)), Err(Trouble::Wrong(what)) if what.contains("ended 1 days ago")));
        assert!(matches!(judge(&chain, None, at(-1)), Err(Trouble::Wrong(what)) if what.contains("clock")));
    }

    #[test]
    fn a_certificate_for_somebody_else_is_told() {
        let chain = chain(&["chat.example.com", "*.shops.example.com", "192.0.2.1"]);
        for host in [
            "chat.example.com",
            "Chat.Example.com",
            "a.shops.example.com",
            "192.0.2.1",
        ] {
            assert!(judge(&chain, Some(host), at(1)).is_ok(), "{host}");
        }
        for host in ["example.com", "shops.example.com", "a.b.shops.example.com", "192.0.2.2"] {
            assert!(
                matches!(judge(&chain, Some(host), at(1)), Err(Trouble::Wrong(_))),
                "{host}"
            );
        }
    }

    #[test]
    fn what_is_no_certificate_is_told() {
        let garbage = [CertificateDer::from(vec![0x30, 0x82, 1, 2, 3])];
        assert!(matches!(judge(&garbage, None, at(1)), Err(Trouble::Wrong(_))));
    }
}
