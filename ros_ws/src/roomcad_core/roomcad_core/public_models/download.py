"""One file from the web: with progress, taken up again where it broke off, checked, or not at all.

What arrives goes into a .part file that carries the wanted checksum in its name, so that it is
never continued with another file's bytes. It takes its real name only when the checksum is right.
"""

from __future__ import annotations

import http.client
import re
import urllib.error
import urllib.request
from urllib.parse import urlsplit

from tqdm import tqdm

from roomcad_core.engine.files import sha256_of

BLOCK = 1 << 16
TIMEOUT = 30.0  # without a byte [s]
SCHEMES = ("https", "http")  # the checksum, not the transport, says what a file is


def download(file, path):
    """Have a RemoteFile at `path`; False if it was there already.

    Raises:
        ConnectionError: nobody answers (offline), or the transfer broke off; run it again.
        FileNotFoundError: the server does not have the file.
        ValueError: the address is none, or what came has another checksum; nothing is kept.
    """
    check_file(file)
    if path.is_file() and sha256_of(path) == file.sha256.lower():
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{file.sha256[:12].lower()}.part")
    if not (part.is_file() and sha256_of(part) == file.sha256.lower()):
        _receive(file, part, path)
    got = sha256_of(part)
    if got != file.sha256.lower():
        part.unlink()
        raise ValueError(
            f"{file.url}: sha256: got {got}, expected {file.sha256}; the download was deleted"
        )
    part.replace(path)
    return True


def check_file(file):
    """Raise ValueError unless address and checksum can be such."""
    if urlsplit(file.url).scheme not in SCHEMES or not urlsplit(file.url).hostname:
        raise ValueError(f"url: got {file.url!r}, expected https://...")
    if not re.fullmatch(r"[0-9a-fA-F]{64}", file.sha256):
        raise ValueError(f"sha256: got {file.sha256!r}, expected 64 hexadecimal digits")


def _receive(file, part, path):
    """Complete the .part file, from its end if the server can do that."""
    have = part.stat().st_size if part.is_file() else 0
    if file.size is not None and have >= file.size:
        part.unlink()
        have = 0
    try:
        with _open(file, have) as response:
            have = have if response.status == http.HTTPStatus.PARTIAL_CONTENT else 0
            left = response.headers.get("Content-Length")
            total = file.size if left is None else have + int(left)
            _check_size(file, total)
            _write(response, part, have, total, path.name)
    except urllib.error.HTTPError as error:
        raise _refused(file, part, error) from None
    except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
        raise _unreachable(file, part, path, error) from None
    if total is not None and part.stat().st_size < total:
        raise _unreachable(file, part, path, "the connection was closed")


def _open(file, have):
    """The response to a request for the file, or for its rest after `have` bytes."""
    headers = {"User-Agent": "roomcad", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    request = urllib.request.Request(file.url, headers=headers)
    return urllib.request.urlopen(request, timeout=TIMEOUT)


def _check_size(file, total):
    """Another size means another file: said before it fills the disk."""
    if file.size is not None and total is not None and total != file.size:
        raise ValueError(f"{file.url}: got {total} bytes, expected {file.size}: another file")


def _write(response, part, have, total, name):
    bar = tqdm(total=total, initial=have, unit="B", unit_scale=True, desc=name)
    with part.open("ab" if have else "wb") as out, bar:
        while block := response.read(BLOCK):
            out.write(block)
            bar.update(len(block))
            if total is not None and out.tell() > total:
                raise http.client.HTTPException(f"more than the {total} bytes announced")


def _refused(file, part, error):
    """What to raise for an HTTP status that is an error."""
    if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        part.unlink(missing_ok=True)  # longer than the file is now
        return ConnectionError(f"{file.url}: the part that was here does not fit: run it again")
    text = f"{file.url}: the server says {error.code} {error.reason}"
    return FileNotFoundError(text) if error.code in (404, 410) else ConnectionError(text)


def _unreachable(file, part, path, error):
    """What to raise when nobody answers or the transfer breaks off."""
    reason = getattr(error, "reason", error)
    have = part.stat().st_size if part.is_file() else 0
    if have:
        return ConnectionError(
            f"{file.url}: broke off after {have} bytes ({reason}): run it again, it goes on there"
        )
    return ConnectionError(
        f"{file.url}: no answer ({reason}); without internet, fetch the file elsewhere and put it"
        f" at {path} (sha256 {file.sha256})"
    )
