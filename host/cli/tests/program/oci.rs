//! Rules through an OCI registry on a loopback socket.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use crate::harness::{Ended, Place};

/// Content by its path, and how often something was asked.
#[derive(Default)]
struct Registry {
    content: Mutex<BTreeMap<String, Vec<u8>>>,
}

impl Registry {
    /// Listens on a free port until the test ends.
    fn start() -> (Arc<Self>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let registry = Arc::new(Self::default());
        let serving = Arc::clone(&registry);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                serving.serve(stream.unwrap());
            }
        });
        (registry, host)
    }

    /// One request a connection.
    fn serve(&self, mut stream: TcpStream) {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let mut words = line.split(' ');
        let (method, path) = (words.next().unwrap(), words.next().unwrap_or_default());
        let mut length = 0;
        loop {
            let mut header = String::new();
            reader.read_line(&mut header).unwrap();
            if header.trim().is_empty() {
                break;
            }
            let (name, value) = header.split_once(':').unwrap();
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        let (status, place, answer) = self.answer(method, path, body);
        let length = answer.len();
        let head = format!(
            "HTTP/1.1 {status} x\r\ncontent-length: {length}\r\nlocation: {place}\r\n\
             connection: close\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        if method != "HEAD" {
            stream.write_all(&answer).unwrap();
        }
    }

    fn answer(&self, method: &str, path: &str, body: Vec<u8>) -> (u16, String, Vec<u8>) {
        let mut content = self.content.lock().unwrap();
        match (method, path.split_once("uploads/")) {
            ("POST", Some((before, _))) => (202, format!("{before}uploads/1"), vec![]),
            ("PUT", Some((before, place))) => {
                let digest = place.strip_prefix("1?digest=").unwrap().replace("%3A", ":");
                content.insert(format!("{before}{digest}"), body);
                (201, String::new(), vec![])
            }
            ("PUT", None) => {
                // A manifest, by its tag and by its digest.
                let (folder, _) = path.rsplit_once('/').unwrap();
                let digest = dvsync_registry::Digest::of(&body);
                content.insert(format!("{folder}/{digest}"), body.clone());
                content.insert(path.to_owned(), body);
                (201, String::new(), vec![])
            }
            _ => match content.get(path) {
                Some(bytes) => (200, String::new(), bytes.clone()),
                None => (404, String::new(), vec![]),
            },
        }
    }
}

fn good(ended: Ended) -> Ended {
    assert_eq!(ended.exit, Some(0), "{ended:?}");
    ended
}

#[test]
fn a_rule_travels_with_its_signatures_and_is_checked_on_arrival() {
    let place = Place::new(0);
    let (registry, host) = Registry::start();
    let address = format!("oci://{host}/rules/account:0.1.0");
    let public = good(place.run(&["rules", "keygen", "team.key"])).stdout;
    let push = ["rules", "push", "account", "--to", &address, "--key", "team.key"];
    let pushed = good(place.run(&push)).stdout;
    assert!(pushed.starts_with(&format!("{address}@sha256:")), "{pushed}");
    let wrong = place.run(&["rules", "push", "account", "--to", &address.replace("0.1.0", "2")]);
    assert_eq!(wrong.exit, Some(64), "{wrong:?}");
    assert!(wrong.stderr.contains("hint: end it with `:0.1.0`"), "{wrong:?}");

    // Another team's store, which trusts that key.
    std::fs::create_dir_all(place.path("theirs")).unwrap();
    let policy = format!("require = true\nkeys = [\"{}\"]\n", public.trim_end());
    place.write("theirs/policy.toml", &policy);
    let by_digest = pushed.trim_end();
    let pulled = good(place.run(&["rules", "pull", by_digest, "--store", "theirs"]));
    assert!(pulled.stdout.starts_with("account@0.1.0\n  sha256:"), "{pulled:?}");
    good(place.run(&["rules", "verify", "--store", "theirs"]));
    good(place.run(&["rules", "pull", &address, "--to", "a.wasm"]));
    good(place.run(&["rules", "verify", "a.wasm", "--trust", "team.key.pub"]));

    // Somebody changes the component in the registry.
    let component = dvsync_cli::component("account").unwrap();
    let mut content = registry.content.lock().unwrap();
    let blob = content.iter().find(|(_, bytes)| bytes.as_slice() == component);
    let blob = blob.unwrap().0.clone();
    content.get_mut(&blob).unwrap().push(0);
    drop(content);
    let changed = place.run(&["rules", "pull", &address, "--store", "other"]);
    assert_eq!(changed.exit, Some(64), "{changed:?}");
    assert!(changed.stderr.contains("the registry gave other bytes than `sha256:"), "{changed:?}");
}
