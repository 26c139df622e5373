"""Certificates for tests, made by openssl."""

import subprocess
from pathlib import Path


def self_signed(openssl: str, folder: Path, *names: str) -> Path:
    """A self-signed certificate for these names; its key lies beside it as `key.pem`."""
    folder.mkdir(parents=True, exist_ok=True)
    certificate = folder / "ca.pem"
    arguments = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", f"/CN={names[0]}"]
    kinds = [f"{'IP' if name[0].isdigit() else 'DNS'}:{name}" for name in names]
    written = ["-addext", f"subjectAltName={','.join(kinds)}", "-keyout", str(folder / "key.pem")]
    subprocess.run([openssl, *arguments, *written, "-out", str(certificate)], check=True, capture_output=True)
    return certificate
