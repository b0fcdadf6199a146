//! The network against small servers on the loopback interface.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc;

use super::*;

/// Reads one request; `None` when the client has gone.
fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&request).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| {
                    line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok()
                })
                .unwrap_or(0);
            if body.len() >= length {
                return Some(text);
            }
        }
        match stream.read(&mut buffer) {
            Ok(count) if count > 0 => request.extend_from_slice(&buffer[..count]),
            _ => return None,
        }
    }
}

/// A server that answers each request on each connection in turn; what it was
/// sent, with the number of the connection, comes out of the receiver.
fn serve(
    answer: impl Fn(&mut TcpStream, &str) + Send + 'static,
) -> (SocketAddr, mpsc::Receiver<(usize, String)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, requests) = mpsc::sync_channel(100);
    std::thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let mut stream = stream.unwrap();
            while let Some(request) = read_request(&mut stream) {
                if sender.send((number, request.clone())).is_err() {
                    return;
                }
                answer(&mut stream, &request);
                if !request.contains("/keep") {
                    break;
                }
            }
        }
    });
    (address, requests)
}

fn transport() -> HttpTransport {
    HttpTransport::new(&HttpSettings { proxy: Proxy::Direct, ..HttpSettings::default() }).unwrap()
}

async fn send(
    transport: &HttpTransport,
    url: &str,
) -> Result<http::Response<Bytes>, TransportError> {
    let request = http::Request::post(url).body(Bytes::from_static(b"{}")).unwrap();
    transport.send(request, Duration::from_millis(500)).await
}

async fn check(answer: &'static [u8], phase: Phase, kind: TransportFault) {
    let (address, _requests) = serve(move |stream, _| {
        stream.write_all(answer).unwrap();
    });
    let error = send(&transport(), &format!("http://{address}/secret-path")).await.unwrap_err();
    assert_eq!((error.phase, error.kind), (phase, kind), "{error}");
    assert!(!error.to_string().contains("secret-path"), "{error}");
}

#[tokio::test]
async fn what_the_service_cannot_have_seen_is_not_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = send(&transport(), &format!("http://{address}/")).await.unwrap_err();
    assert_eq!((error.phase, error.kind), (Phase::NotSent, TransportFault::Connect), "{error}");
}

#[tokio::test]
async fn a_handshake_that_fails_is_not_sent_and_named_tls() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _hello = stream.read(&mut [0; 4096]);
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
    });
    let error = send(&transport(), &format!("https://{address}/")).await.unwrap_err();
    assert_eq!((error.phase, error.kind), (Phase::NotSent, TransportFault::Tls), "{error}");
}

#[tokio::test]
async fn a_connection_that_breaks_before_the_reply_may_have_been_seen() {
    check(b"", Phase::Sent, TransportFault::Reset).await;
    check(b"HTTP/1.1 200 OK\r\nContent-Le", Phase::Sent, TransportFault::Reset).await;
}

#[tokio::test]
async fn a_reply_that_ends_early_is_cut() {
    check(
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"Ids\":[",
        Phase::ReplyCut,
        TransportFault::Truncated,
    )
    .await;
    check(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n",
        Phase::ReplyCut,
        TransportFault::Truncated,
    )
    .await;
}

#[tokio::test]
async fn silence_ends_with_the_time_out_and_may_have_been_seen() {
    let (address, _requests) = serve(|stream, _| {
        // Until the client hangs up.
        let _end = stream.read(&mut [0; 16]);
    });
    let error = send(&transport(), &format!("http://{address}/")).await.unwrap_err();
    assert_eq!((error.phase, error.kind), (Phase::Sent, TransportFault::Timeout), "{error}");
}

#[tokio::test]
async fn connections_are_kept_and_cookies_are_not() {
    let (address, requests) = serve(|stream, _| {
        stream
            .write_all(b"HTTP/1.1 204 No Content\r\nSet-Cookie: ARRAffinity=1; path=/\r\n\r\n")
            .unwrap();
    });
    let transport = transport();
    for _ in 0..3 {
        let reply = send(&transport, &format!("http://{address}/keep")).await.unwrap();
        assert_eq!(reply.status(), 204);
    }
    for (connection, request) in requests.try_iter() {
        assert_eq!(connection, 0);
        let request = request.to_ascii_lowercase();
        assert!(!request.contains("cookie"), "{request}");
        assert!(request.contains("user-agent: dvsync/"), "{request}");
    }
}

#[tokio::test]
async fn redirects_are_replies_and_gzip_is_unpacked() {
    let (address, requests) = serve(|stream, request| {
        if request.contains("/moved") {
            stream
                .write_all(b"HTTP/1.1 302 Found\r\nLocation: /else\r\nContent-Length: 0\r\n\r\n")
                .unwrap();
            return;
        }
        // gzip of `hello`.
        let body = [
            0x1f, 0x8b, 0x08, 0, 0, 0, 0, 0, 0, 0xff, 0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0, 0x86,
            0xa6, 0x10, 0x36, 0x05, 0, 0, 0,
        ];
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(&body).unwrap();
    });
    let transport = transport();
    let moved = send(&transport, &format!("http://{address}/moved")).await.unwrap();
    assert_eq!(moved.status(), 302);
    let packed = send(&transport, &format!("http://{address}/x")).await.unwrap();
    assert_eq!(packed.body().as_ref(), b"hello");
    assert_eq!(requests.try_iter().count(), 2);
}

#[test]
fn settings_that_cannot_work_are_refused_in_words() {
    for (settings, words) in [
        (
            HttpSettings { ca_file: Some("/nowhere/ca.pem".into()), ..HttpSettings::default() },
            "/nowhere/ca.pem",
        ),
        (
            HttpSettings { ca_file: Some("Cargo.toml".into()), ..HttpSettings::default() },
            "no certificate",
        ),
        (
            HttpSettings { proxy: Proxy::Url("http://".to_owned()), ..HttpSettings::default() },
            "proxy",
        ),
    ] {
        let error = HttpTransport::new(&settings).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}
