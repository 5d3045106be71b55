//! A webhook over HTTPS: to a receiver whose authority is trusted, and to no stranger.

use super::receiver::{Peer, skipped, succeeds};
use super::{line, prepare, sent, take, told};
use crate::support::server::wait_until;
use std::path::Path;
use std::process::Command;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/product/notify/peers/hook.py");

fn openssl(dir: &Path, args: &str) -> bool {
    succeeds(Command::new("openssl").args(args.split(' ')).current_dir(dir))
}

/// Makes an authority `NAME.pem` in a folder.
fn authority(dir: &Path, name: &str) -> bool {
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    openssl(
        dir,
        &format!("req -x509 {key} -keyout {name}.key -out {name}.pem -subj /CN={name} -days 2"),
    )
}

/// Makes `peer.pem` and `peer.key`, valid for this machine, signed by the authority `NAME.pem`.
fn certificate(dir: &Path, name: &str) -> bool {
    let extensions = "subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n\
        extendedKeyUsage=serverAuth\n";
    std::fs::write(dir.join("peer.ext"), extensions).unwrap();
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    openssl(dir, &format!("req {key} -keyout peer.key -out peer.csr -subj /CN=localhost"))
        && openssl(
            dir,
            &format!(
                "x509 -req -in peer.csr -CA {name}.pem -CAkey {name}.key -CAcreateserial -days 2 \
                 -extfile peer.ext -out peer.pem"
            ),
        )
}

fn channel(name: &str, port: &str, authority: &str) -> String {
    format!(
        "[[notify]]\nname = \"{name}\"\nkind = \"webhook\"\nsecret = \"file:$D/secret\"\n\
         url = \"https://127.0.0.1:{port}/hook\"\n{authority}"
    )
}

#[test]
fn a_webhook_goes_over_https_to_whom_the_authority_vouches_for() {
    let dir = tempfile::tempdir().unwrap();
    let made = ["own", "foreign"].iter().all(|name| authority(dir.path(), name));
    if !made || !certificate(dir.path(), "own") {
        return skipped("openssl (apt install openssl)");
    }
    if !succeeds(Command::new("python3").args(["-c", "import ssl, http.server"])) {
        return skipped("python3 (apt install python3)");
    }
    let file = |name: &str| dir.path().join(name);
    std::fs::write(file("secret"), super::SECRET).unwrap();
    let files = [file("peer.pem"), file("peer.key"), file("secret")];
    let files = [files[0].as_path(), files[1].as_path(), files[2].as_path()];
    let peer = Peer::start(Path::new("python3"), SCRIPT, &files);
    let ca = |name: &str| format!("ca_file = \"{}\"\n", file(name).display());
    // The authority that is trusted is exchanged below.
    std::fs::copy(file("foreign.pem"), file("later.pem")).unwrap();
    let channels = [
        channel("trusting", &peer.port, &ca("own.pem")),
        channel("public", &peer.port, ""),
        channel("later", &peer.port, &ca("later.pem")),
    ];
    let mut site = prepare(&format!("[lake]\nflush_interval_s = 1\n{}", channels.concat()));
    site.start();
    take(&site, "default", &line("gate", 7));
    wait_until("the one that trusts it is sent", || sent(&site).len() == 1);
    wait_until("the others were tried", || {
        told(&site, "?status=pending").iter().filter(|one| one["attempts"] != 0).count() == 2
    });
    for one in told(&site, "?status=pending") {
        let error = one["last_error"].as_str().unwrap().to_lowercase();
        assert!(error.contains("certificate"), "{one}");
    }
    let got = peer.got();
    assert_eq!(got.len(), 1, "{got:?}");
    assert_eq!(
        (&got[0]["verified"], &got[0]["body"]["channel"]),
        (&true.into(), &"trusting".into())
    );
    assert!(got[0]["tls"].as_str().unwrap().starts_with("TLSv1."), "{got:?}");

    // The right authority's file is there at the next start: what waited is sent, and nothing else.
    site.kill();
    std::fs::copy(file("own.pem"), file("later.pem")).unwrap();
    site.start();
    wait_until("what waited is sent", || sent(&site).len() == 2);
    let got = peer.got();
    assert_eq!(got.len(), 2, "{got:?}");
    assert_eq!((&got[1]["verified"], &got[1]["body"]["channel"]), (&true.into(), &"later".into()));
    let waits = told(&site, "?status=pending");
    assert!(waits.len() == 1 && waits[0]["channel"] == "public", "{waits:?}");
    site.stop();
}
