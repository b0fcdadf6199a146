use std::path::PathBuf;
use std::sync::Arc;

use dvsync_emulator::{Assertion, Emulator, RequestFilter, SelfSigned, Settings, serve};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// An emulator behind TLS on a free port, until it is dropped.
pub(crate) struct Served {
    pub(crate) url: String,
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    /// The certificate to trust.
    pub(crate) certificate: PathBuf,
    emulator: Arc<Emulator>,
    stop: Option<oneshot::Sender<()>>,
    ended: Option<JoinHandle<std::io::Result<()>>>,
    runtime: Runtime,
    _folder: TempDir,
}

impl Served {
    pub(crate) fn start() -> Self {
        let settings = Settings::default();
        let (client_id, client_secret) = settings.clients()["emulator"];
        let (client_id, client_secret) = (client_id.to_string(), client_secret.to_owned());
        let emulator = Arc::new(Emulator::new(settings).unwrap());
        let SelfSigned { tls, certificate_pem } = SelfSigned::new(&[]).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let certificate = folder.path().join("emulator.pem");
        std::fs::write(&certificate, certificate_pem).unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (stop, stopped) = oneshot::channel();
        let serving = serve(Arc::clone(&emulator), listener, Some(tls), async {
            stopped.await.unwrap_or_default();
        });
        let ended = runtime.spawn(serving);
        Self {
            url: format!("https://localhost:{port}"),
            client_id,
            client_secret,
            certificate,
            emulator,
            stop: Some(stop),
            ended: Some(ended),
            runtime,
            _folder: folder,
        }
    }

    /// The client signed in by the token endpoint, met nothing that the emulator
    /// lacks, and created no record twice.
    pub(crate) fn check_requests(&self) {
        let all = self.emulator.requests(&RequestFilter::default());
        assert!(all.iter().any(|one| one.path.ends_with("/oauth2/v2.0/token")));
        assert!(all.len() > 20, "{} requests only", all.len());
        let lacking = RequestFilter { status: Some(501), ..RequestFilter::default() };
        let verdict = self.emulator.check(&Assertion::NoRequest(lacking));
        assert_eq!(verdict.violations, Vec::<String>::new());
        let verdict = self.emulator.check(&Assertion::NoCreateTwice);
        assert_eq!((verdict.violations, verdict.forgotten), (Vec::new(), 0));
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        if let (Some(stop), Some(ended)) = (self.stop.take(), self.ended.take()) {
            // It may have ended by itself; then the join says why.
            stop.send(()).unwrap_or_default();
            self.runtime.block_on(ended).unwrap().unwrap();
        }
    }
}
