//! A heap of certificates to a chain: leaf first, each followed by the one that signed it.
//!
//! Links are made by name (issuer and subject, compared as bytes) and, where both certificates
//! have them, by key identifiers, which tell an old intermediate from a new one of the same name.
//! Signatures are not verified here but in `examine.rs`. The system's roots are not consulted: a chain ends where the given certificates end.
//!
//! To change what may be left over: [`order`].

use x509_parser::{certificate::X509Certificate, extensions::ParsedExtension};

use super::{
    certificate::{describe_parsed, parse},
    error::{KeystoreError, Part},
    pem,
};

/// A certificate with what is needed to find its neighbours.
pub(super) struct Link {
    pub(super) der: Vec<u8>,
    pub(super) title: String,
    pub(super) subject: Vec<u8>,
    pub(super) issuer: Vec<u8>,
    pub(super) public: Vec<u8>,
    own_id: Option<Vec<u8>>,
    issuer_id: Option<Vec<u8>>,
}

impl Link {
    pub(super) fn new(der: &[u8], certificate: &X509Certificate<'_>) -> Self {
        let extensions = || {
            certificate
                .extensions()
                .iter()
                .map(|e| e.parsed_extension())
        };
        Self {
            der: der.to_vec(),
            title: describe_parsed(der, certificate).title(),
            subject: certificate.subject().as_raw().to_vec(),
            issuer: certificate.issuer().as_raw().to_vec(),
            public: certificate.public_key().subject_public_key.data.to_vec(),
            own_id: extensions().find_map(|extension| match extension {
                ParsedExtension::SubjectKeyIdentifier(id) => Some(id.0.to_vec()),
                _ => None,
            }),
            issuer_id: extensions().find_map(|extension| match extension {
                ParsedExtension::AuthorityKeyIdentifier(id) => {
                    id.key_identifier.as_ref().map(|id| id.0.to_vec())
                }
                _ => None,
            }),
        }
    }

    pub(super) fn is_self_issued(&self) -> bool {
        self.subject == self.issuer
    }

    pub(super) fn is_issued_by(&self, other: &Link) -> bool {
        let ids_agree = match (&self.issuer_id, &other.own_id) {
            (Some(wanted), Some(has)) => wanted == has,
            _ => true,
        };
        self.issuer == other.subject && ids_agree
    }
}

/// Reads all certificates of a text and puts them in order, beginning with the one whose public
/// key is `public`.
pub(super) fn read(chain_pem: &[u8], public: &[u8]) -> Result<Vec<Vec<u8>>, KeystoreError> {
    let blocks = pem::blocks(chain_pem, Part::Chain)?;
    let mut links: Vec<Link> = Vec::new();
    for block in blocks.iter().filter(|block| block.label == "CERTIFICATE") {
        let der = block.der()?;
        let certificate = parse(&der).map_err(|_| block.damaged("is not a certificate"))?;
        if !links.iter().any(|link| link.der == *der) {
            links.push(Link::new(&der, &certificate));
        }
    }
    if links.is_empty() {
        return Err(KeystoreError::NoCertificate(pem::labels(&blocks)));
    }
    let chain = order(links, public)?;
    Ok(chain.into_iter().map(|link| link.der).collect())
}

/// Puts certificates in order.
///
/// Of two that could come next (a root, and the same root signed by an older one) the one that
/// leads further is taken; the other, having the name and the key of a link of the chain, may be
/// left over. Nothing else may.
fn order(links: Vec<Link>, public: &[u8]) -> Result<Vec<Link>, KeystoreError> {
    let (mut leaves, mut rest): (Vec<_>, Vec<_>) =
        links.into_iter().partition(|link| link.public == public);
    let leaf = match leaves.len() {
        0 => return Err(KeystoreError::KeyMismatch(titles(&rest))),
        1 => leaves.remove(0),
        _ => return Err(KeystoreError::TwoLeaves(titles(&leaves))),
    };
    let mut chain = vec![leaf];
    while let Some(last) = chain.last().filter(|last| !last.is_self_issued()) {
        let mut issuers: Vec<usize> = (0..rest.len())
            .filter(|i| last.is_issued_by(&rest[*i]))
            .collect();
        issuers.sort_by_key(|i| rest[*i].is_self_issued());
        let Some(next) = issuers.first() else { break };
        chain.push(rest.remove(*next));
    }
    let is_twin = |link: &Link| {
        let same = |other: &Link| link.subject == other.subject && link.public == other.public;
        chain.iter().skip(1).any(same)
    };
    rest.retain(|link| !is_twin(link));
    if rest.is_empty() {
        return Ok(chain);
    }
    Err(KeystoreError::UnrelatedCertificate {
        leaf: chain[0].title.clone(),
        extra: titles(&rest),
    })
}

fn titles(links: &[Link]) -> Vec<String> {
    links.iter().map(|link| link.title.clone()).collect()
}
