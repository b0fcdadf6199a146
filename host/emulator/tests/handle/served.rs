use std::sync::Arc;

use dvsync_emulator::{Emulator, Settings, Tls, serve};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

struct Served {
    address: std::net::SocketAddr,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<std::io::Result<()>>,
    emulator: Arc<Emulator>,
}

#[expect(clippy::disallowed_methods, reason = "the handle is awaited in `stopped`")]
async fn served(settings: &str, tls: Option<Tls>) -> Served {
    let emulator = Arc::new(Emulator::new(Settings::from_toml(settings).unwrap()).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let ended = tokio::spawn(serve(Arc::clone(&emulator), listener, tls, async {
        stopped.await.unwrap_or_default();
    }));
    Served { address, stop, ended, emulator }
}

impl Served {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    async fn stopped(self) {
        self.stop.send(()).unwrap();
        self.ended.await.unwrap().unwrap();
    }
}

fn request(method: &str, path: &str, body: &str) -> String {
    format!(
        "{method} /api/data/v9.2/{path} HTTP/1.1\r\nHost: org.example\r\nAuthorization: Bearer emulator\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Head and body of one reply; whatever came if the connection ends early.
async fn exchange(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    request: &str,
) -> (String, Vec<u8>) {
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let read = stream.read(&mut buffer).await.unwrap_or(0);
        bytes.extend_from_slice(&buffer[..read]);
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
        if let Some(end) = end {
            let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
            let length = head.lines().find_map(|line| {
                line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok()
            });
            let body = bytes[end + 4..].to_vec();
            if read == 0 || body.len() >= length.unwrap_or(0) {
                return (head, body);
            }
        } else if read == 0 {
            return (String::new(), bytes);
        }
    }
}

#[tokio::test]
async fn one_connection_carries_many_requests() {
    let served = served("", None).await;
    let mut stream = served.connect().await;
    for _ in 0..3 {
        let (head, body) = exchange(&mut stream, &request("POST", "accounts", "{}")).await;
        assert!(head.starts_with("HTTP/1.1 204 No Content"), "{head}");
        assert!(
            head.to_lowercase()
                .contains("odata-entityid: http://org.example/api/data/v9.2/accounts("),
            "{head}"
        );
        assert!(body.is_empty());
    }
    let (_, body) = exchange(&mut stream, &request("GET", "accounts/$count", "")).await;
    assert_eq!(body, b"3");
    served.stopped().await;
}

#[tokio::test]
async fn cut_connections_are_really_cut() {
    let served = served(
        "[[faults]]\nmethod = \"POST\"\nnth = 1\neffect = { kind = \"cut_before_commit\" }\n\
         [[faults]]\nmethod = \"POST\"\nnth = 1\neffect = { kind = \"cut_after_commit\" }\n\
         [[faults]]\npath = \"WhoAmI\"\neffect = { kind = \"truncate\", bytes = 7 }\n",
        None,
    )
    .await;
    for expected in [0, 1] {
        let mut stream = served.connect().await;
        let (head, body) = exchange(&mut stream, &request("POST", "accounts", "{}")).await;
        assert_eq!((head.as_str(), body.len()), ("", 0));
        let mut stream = served.connect().await;
        let (_, body) = exchange(&mut stream, &request("GET", "accounts/$count", "")).await;
        assert_eq!(body, expected.to_string().as_bytes());
    }
    let mut stream = served.connect().await;
    let (head, body) = exchange(&mut stream, &request("GET", "WhoAmI", "")).await;
    assert!(head.starts_with("HTTP/1.1 200 OK"), "{head}");
    assert_eq!(body, b"{\"@odat");
    served.stopped().await;
}

#[tokio::test]
async fn a_delay_is_waited_out() {
    let served = served("[latency]\nbase_ms = 60", None).await;
    let mut stream = served.connect().await;
    let before = tokio::time::Instant::now();
    exchange(&mut stream, &request("GET", "WhoAmI", "")).await;
    assert!(before.elapsed().as_millis() >= 60);
    served.stopped().await;
}

#[tokio::test]
async fn a_stop_ends_idle_connections_and_frees_the_emulator() {
    let served = served("", None).await;
    let mut stream = served.connect().await;
    exchange(&mut stream, &request("GET", "WhoAmI", "")).await;
    let emulator = Arc::clone(&served.emulator);
    served.stopped().await;
    assert_eq!(stream.read(&mut [0; 1]).await.unwrap_or(0), 0);
    assert_eq!(Arc::strong_count(&emulator), 1);
}

#[tokio::test]
async fn tls_is_spoken_with_the_given_certificate() {
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, ServerName};
    let chain = include_bytes!("localhost.pem");
    let tls = Tls::from_pem(chain, include_bytes!("localhost.key")).unwrap();
    let served = served("", Some(tls)).await;
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(chain).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    let name = ServerName::try_from("localhost").unwrap();
    let mut stream = connector.connect(name, served.connect().await).await.unwrap();
    let (head, _) = exchange(&mut stream, &request("POST", "accounts", "{}")).await;
    assert!(head.to_lowercase().contains("odata-entityid: https://org.example/"), "{head}");
    served.stopped().await;
    assert!(Tls::from_pem(b"", b"").is_err());
    assert!(Tls::from_pem(chain, b"no key").is_err());
}

#[tokio::test]
async fn a_self_made_certificate_is_trusted_by_who_is_given_it() {
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, ServerName};
    let made = dvsync_emulator::SelfSigned::new(&["emulator.test".to_owned()]).unwrap();
    let certificate = CertificateDer::from_pem_slice(made.certificate_pem.as_bytes()).unwrap();
    let served = served("", Some(made.tls)).await;
    for name in ["localhost", "127.0.0.1", "emulator.test", "elsewhere.test"] {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(certificate.clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
        let server = ServerName::try_from(name).unwrap();
        let connected = connector.connect(server, served.connect().await).await;
        assert_eq!(connected.is_ok(), name != "elsewhere.test", "{name}");
    }
    served.stopped().await;
}

#[tokio::test]
async fn a_stalled_reply_goes_on_after_its_pause_or_never() {
    let served = served(
        "[[faults]]\nnth = 1\neffect = { kind = \"stall\", bytes = 4, milliseconds = 80 }\n\
         [[faults]]\nnth = 1\neffect = { kind = \"stall\", bytes = 4 }\n",
        None,
    )
    .await;
    let mut stream = served.connect().await;
    let before = tokio::time::Instant::now();
    let (head, body) = exchange(&mut stream, &request("GET", "WhoAmI", "")).await;
    assert!(head.starts_with("HTTP/1.1 200 OK"), "{head}");
    assert!(body.ends_with(b"}") && before.elapsed().as_millis() >= 80);
    let whoami = request("GET", "WhoAmI", "");
    let never = exchange(&mut stream, &whoami);
    let waited = tokio::time::timeout(std::time::Duration::from_millis(120), never).await;
    assert!(waited.is_err());
    served.emulator.flush().unwrap();
}
