"""Volumes that are reached by TLS: data to and from the bricks, and the talk with glusterd."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from gluster import gfapi
from gluster.gfapi import api, sandbox

pytestmark = pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed")


class Certificates:
    """Self-signed certificates in a folder, and files of those that are trusted."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("server", "client", "stranger"):
            subprocess.run(
                [
                    *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
                    *("-subj", f"/CN={name}", "-keyout", folder / f"{name}.key"),
                    *("-out", folder / f"{name}.pem"),
                ],
                check=True,
                capture_output=True,
            )
        pem = {name: (folder / f"{name}.pem").read_text() for name in ("server", "client")}
        (folder / "known.ca").write_text(pem["server"] + pem["client"])
        (folder / "stranger.ca").write_text((folder / "stranger.pem").read_text())

    def options(self, prefix: str, name: str, trusted: str = "known") -> dict[str, str]:
        """The options that say which certificate to show and whom to trust."""
        return {
            f"{prefix}own-cert": f"{self.folder}/{name}.pem",
            f"{prefix}private-key": f"{self.folder}/{name}.key",
            f"{prefix}ca-list": f"{self.folder}/{trusted}.ca",
        }

    def of_client(self, name: str, trusted: str = "known") -> dict[str, str]:
        return self.options("*-client-*.transport.socket.ssl-", name, trusted)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def volume(cluster: sandbox.Cluster, certificates: Certificates) -> Iterator[sandbox.SandboxVolume]:
    """A volume whose bricks talk TLS only, and to the client and themselves only."""
    own = certificates.options("ssl.", "server")
    volume = cluster.create_volume(
        "tls",
        replica=3,
        options={
            "client.ssl": "on",
            "server.ssl": "on",
            "auth.ssl-allow": "client,server",
            **own,
        },
    )
    yield volume
    volume.delete()


def works(vol: gfapi.Volume) -> bool:
    with vol:
        with vol.fopen("/f", "w") as f:
            f.write(b"x" * (1 << 20))
        with vol.fopen("/f") as f:
            return f.read() == b"x" * (1 << 20)


def test_the_volume_itself_may_say_which_certificate(volume: sandbox.SandboxVolume) -> None:
    assert works(volume.client())


def test_a_client_has_a_certificate_of_its_own(
    volume: sandbox.SandboxVolume, certificates: Certificates
) -> None:
    vol = volume.client(xlator_options=certificates.of_client("client"))
    assert works(vol)
    host = volume.hosts[0]
    assert works(gfapi.Volume.from_url(f"gluster://{host}/tls", xlator_options=vol.xlator_options))


def test_it_works_from_a_volume_file(
    volume: sandbox.SandboxVolume, certificates: Certificates, tmp_path: Path
) -> None:
    folder = volume.cluster.nodes[0].folder
    file = shutil.copy(f"{folder}/glusterd/vols/tls/trusted-tls.tcp-fuse.vol", tmp_path)
    assert "ssl-enabled on" in Path(file).read_text()
    assert works(gfapi.Volume(None, "tls", volfile=file))
    options = certificates.of_client("client")
    assert works(gfapi.Volume(None, "tls", volfile=file, xlator_options=options))
    options["*-client-*.transport.socket.ssl-enabled"] = "off"
    with pytest.raises(gfapi.LibgfapiException, match="none of the bricks"):
        gfapi.Volume(None, "tls", volfile=file, xlator_options=options).mount()


@pytest.mark.parametrize(
    ("name", "trusted"),
    [("client", "stranger"), ("stranger", "known"), ("nobody", "known"), ("client", "nobody")],
)
def test_who_is_not_known_or_knows_nobody_is_refused(
    volume: sandbox.SandboxVolume, certificates: Certificates, name: str, trusted: str
) -> None:
    vol = volume.client(xlator_options=certificates.of_client(name, trusted))
    with pytest.raises(gfapi.LibgfapiException, match="no TLS connection comes about"):
        vol.mount()


def test_a_plain_client_is_refused(volume: sandbox.SandboxVolume) -> None:
    plain = {"*-client-*.transport.socket.ssl-enabled": "off"}
    with pytest.raises(gfapi.LibgfapiException, match="no TLS connection comes about"):
        volume.client(xlator_options=plain).mount()


def test_a_client_that_wants_tls_is_refused_by_a_volume_without(
    plain: sandbox.SandboxVolume, certificates: Certificates
) -> None:
    options = certificates.of_client("client")
    options["*-client-*.transport.socket.ssl-enabled"] = "on"
    with pytest.raises(gfapi.LibgfapiException, match="no TLS connection comes about"):
        plain.client(xlator_options=options).mount()


def test_an_expired_certificate_is_refused(
    cluster: sandbox.Cluster, certificates: Certificates
) -> None:
    folder = certificates.folder
    late = ("openssl", "x509", "-in", folder / "client.pem", "-signkey", folder / "client.key")
    subprocess.run([*late, "-days", "-1", "-out", folder / "late.pem"], check=True)
    shutil.copy(folder / "client.key", folder / "late.key")
    trusted = (folder / "known.ca").read_text() + (folder / "late.pem").read_text()
    (folder / "late.ca").write_text(trusted)
    volume = cluster.create_volume(
        "late",
        options={
            "client.ssl": "on",
            "server.ssl": "on",
            "auth.ssl-allow": "client,server",
            **certificates.options("ssl.", "server", "late"),
        },
    )
    try:
        assert works(volume.client(xlator_options=certificates.of_client("client", "late")))
        with pytest.raises(gfapi.LibgfapiException, match="expired"):
            volume.client(xlator_options=certificates.of_client("late", "late")).mount()
    finally:
        volume.delete()


@pytest.mark.parametrize(
    ("name", "trusted", "reason"),
    [
        ("client", "stranger", "certificate verify failed"),
        ("nobody", "known", "could not load our cert"),
    ],
)
def test_the_error_quotes_what_the_log_says(
    volume: sandbox.SandboxVolume,
    certificates: Certificates,
    tmp_path: Path,
    name: str,
    trusted: str,
    reason: str,
) -> None:
    log = tmp_path / "client.log"
    log.write_text("[earlier] E SSL routines: of an earlier mount\n")
    vol = volume.client(xlator_options=certificates.of_client(name, trusted), log_file=log)
    with pytest.raises(gfapi.LibgfapiException, match=f"; the log says: .*{reason}"):
        vol.mount()


def test_a_name_that_the_volume_does_not_allow_is_refused(
    volume: sandbox.SandboxVolume, certificates: Certificates, tmp_path: Path
) -> None:
    """In a process of its own: libgfapi waits for ever there."""
    log = tmp_path / "client.log"
    program = """
    import json, os, sys
    import gluster.gfapi.attempt
    from gluster import gfapi
    gluster.gfapi.attempt.INIT_TIMEOUT = 2.0
    hosts, options, log = json.loads(sys.argv[1])
    try:
        gfapi.Volume(hosts, "tls", xlator_options=options, log_file=log).mount()
    except gfapi.LibgfapiException as error:
        print(error, flush=True)
    os._exit(0)
    """
    volume.set_option("auth.ssl-allow", "server")
    try:
        given = json.dumps([volume.hosts, certificates.of_client("client"), str(log)])
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(program), given],
            env={**os.environ, "PYTHONPATH": str(Path(gfapi.__file__).parents[2])},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
    finally:
        volume.set_option("auth.ssl-allow", "client,server")
    assert "its bricks refuse this client" in done.stdout
    assert "Authentication failed" in done.stdout


MANAGEMENT = """
import os, sys
from gluster import gfapi
from gluster.gfapi import sandbox

def attempt(cluster, name):
    try:
        with gfapi.Volume(cluster.hosts, name) as vol:
            with vol.fopen("/f", "w") as f:
                f.write(b"secret")
            with vol.fopen("/f") as f:
                print(f.read().decode(), flush=True)
    except gfapi.LibgfapiException as error:
        print(error, flush=True)

secure_access, ca, stranger = sys.argv[1:]
with sandbox.Cluster(nodes=1) as cluster:
    options = {"client.ssl": "on", "server.ssl": "on", "auth.ssl-allow": "*"}
    cluster.create_volume("both", options=options)
    cluster.create_volume("talk")
    attempt(cluster, "both")
    attempt(cluster, "talk")
    os.unlink(secure_access)
    attempt(cluster, "talk")
    open(secure_access, "w").close()
    attempt(cluster, "talk")
    os.replace(stranger, ca)
    attempt(cluster, "talk")
"""


def test_management_goes_by_tls_too(certificates: Certificates, tmp_path: Path) -> None:
    """GlusterFS looks for these files in places of the system only, so they are covered here."""
    if api.available("glfs_openat"):
        pytest.skip("GlusterFS 11 does not start a brick so")
    said = subprocess.run(["openssl", "version", "-d"], capture_output=True, text=True, check=True)
    system = said.stdout.split('"')[1]
    for folder in (system, "/var/lib/glusterd"):
        if not os.path.isdir(folder):
            pytest.skip(f"there is no {folder} to cover")
    own = certificates.folder
    shutil.copy(own / "stranger.ca", tmp_path / "stranger.ca")
    prepare = f"""
    mount -t tmpfs tmpfs /var/lib/glusterd && touch /var/lib/glusterd/secure-access &&
    mount -t tmpfs tmpfs {system} &&
    cp {own}/server.pem {system}/glusterfs.pem && cp {own}/server.key {system}/glusterfs.key &&
    cp {own}/known.ca {system}/glusterfs.ca && cp {own}/stranger.ca {system}/stranger.ca
    """
    probe = ["unshare", "-m", "sh", "-c", prepare]
    if not shutil.which("unshare") or subprocess.run(probe, check=False).returncode != 0:
        pytest.skip("this machine lets nobody cover folders")
    paths = f"/var/lib/glusterd/secure-access {system}/glusterfs.ca {system}/stranger.ca"
    script = f'{textwrap.dedent(prepare).strip()} && exec "$0" -c "$1" {paths}'
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", script, sys.executable, MANAGEMENT],
        env={**os.environ, "PYTHONPATH": str(Path(gfapi.__file__).parents[2])},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    lines = done.stdout.splitlines()
    assert lines[:2] == ["secret", "secret"]
    assert "no TLS connection comes about" in lines[2]
    assert lines[3] == "secret"
    assert "no TLS connection comes about" in lines[4]
