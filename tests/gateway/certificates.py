"""Certificates made on the spot, by the openssl program."""

import subprocess


class Identity:
    """A key and a certificate, signed by itself or by `signer`. `certificate` and `key` are files in PEM."""

    def __init__(self, directory, name, signer=None):
        self.key = directory / f"{name}.key"
        self.certificate = directory / f"{name}.crt"
        make_key(self.key)
        command = ["req", "-x509", "-key", self.key, "-out", self.certificate, "-days", "2", "-subj", f"/CN={name}",
                   "-addext", "subjectAltName=IP:127.0.0.1"]
        if signer:
            command += ["-CA", signer.certificate, "-CAkey", signer.key]
        run_openssl(*command)


def make_key(path, *options):
    run_openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", *options, "-out", path)


def run_openssl(*arguments):
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True, timeout=20)
    assert done.returncode == 0, done.stderr
