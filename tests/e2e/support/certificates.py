"""Self-signed certificates for tests, made by openssl."""

from support import processes


def make_certificate(directory, name, common_name="localhost"):
    """Returns the paths of a certificate (valid for localhost and 127.0.0.1) and of its key."""
    certificate, key = directory / f"{name}.crt", directory / f"{name}.key"
    done = processes.run([
        "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
        "-keyout", key, "-out", certificate, "-days", "2", "-subj", f"/CN={common_name}",
        "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"])
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    key.chmod(0o600)
    return certificate, key
