use super::*;

#[test]
fn parts() {
    assert_eq!(range("bytes 10-19/20"), Some((10, Some(20))));
    assert_eq!(range("bytes 10-19/*"), Some((10, None)));
    for bad in [
        "",
        "bytes",
        "bytes */20",
        "bytes 19-10/20",
        "bytes 10-20/20",
        "bytes -1-2/3",
        "items 1-2/3",
    ] {
        assert_eq!(range(bad), None, "{bad}");
    }
}

#[test]
fn where_redirects_lead() {
    let to = |from: &str, location: &str| {
        let mut headers = HeaderMap::new();
        headers.insert(header::LOCATION, location.parse().unwrap());
        follow(from, &from.parse().unwrap(), &headers).map(|uri| uri.to_string())
    };
    let from = "https://a.example.org:8443/pool/x?y=1";
    for (location, wanted) in [
        ("z", "https://a.example.org:8443/pool/z"),
        ("/z?q=//", "https://a.example.org:8443/z?q=//"),
        ("//b.example.org/z#there", "https://b.example.org/z"),
        ("https://b.example.org/z", "https://b.example.org/z"),
    ] {
        assert_eq!(to(from, location).unwrap(), wanted);
    }
    for bad in [
        "http://a.example.org/",
        "HTTP://a.example.org/",
        "ftp://a.example.org/",
        "https://",
    ] {
        assert!(to(from, bad).is_err(), "{bad}");
    }
    assert!(to("http://a.example.org/x", "https://a.example.org/x").is_ok());
    let none = HeaderMap::new();
    assert!(follow(from, &from.parse().unwrap(), &none).is_err());
}
