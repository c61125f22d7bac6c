"""Read-only access to the files of a folder, a zip or a Debian package, by path inside it.

Nothing is unpacked to disk; a path that leaves its container and a file beyond MAX_BYTES are
errors, so that a hostile archive can do no harm.
"""

import io
import lzma
import posixpath
import tarfile
import zipfile
from pathlib import Path

MAX_BYTES = 400_000_000
AR_MAGIC = b"!<arch>\n"


def inside(base, reference):
    """The path of `reference`, as written in a file under the folder `base` of a container."""
    reference = str(reference).strip().replace("\\", "/")
    path = posixpath.normpath(
        posixpath.join(base, reference.lstrip("/") if base == "" else reference)
    )
    if path.startswith(("../", "/")) or path == ".." or ":" in path:
        raise ValueError(f"path {reference!r} leaves its folder")
    return path


class FolderFiles:
    """Files under a folder."""

    def __init__(self, root):
        self.root = Path(root)
        self.name = self.root.name

    def read(self, path):
        """Bytes of a file; FileNotFoundError where there is none."""
        full = (self.root / inside("", path)).resolve()
        if not full.is_relative_to(self.root.resolve()):
            raise ValueError(f"{full} lies outside {self.root}")
        if not full.is_file():
            raise FileNotFoundError(f"{full}: no such file")
        if full.stat().st_size > MAX_BYTES:
            raise ValueError(f"{full}: larger than {MAX_BYTES} bytes")
        return full.read_bytes()


class ZipFiles:
    """Files in a zip (.sh3f, .jar)."""

    def __init__(self, file, name):
        self.name = name
        try:
            self._zip = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, OSError) as error:
            raise ValueError(f"{name}: unreadable zip: {error}") from None

    def read(self, path):
        """Bytes of a member; FileNotFoundError where there is none."""
        try:
            info = self._zip.getinfo(inside("", path))
        except KeyError:
            raise FileNotFoundError(f"{self.name}: no member {path}") from None
        try:
            with self._zip.open(info) as member:
                data = member.read(MAX_BYTES + 1)
        except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError) as error:
            raise ValueError(f"{self.name}: {path}: unreadable: {error}") from None
        if len(data) > MAX_BYTES:
            raise ValueError(f"{self.name}: {path}: larger than {MAX_BYTES} bytes")
        return data


def archives(path, suffixes=(".sh3f", ".jar")):
    """ZipFiles of every archive at `path`: one itself, a .deb, or a folder searched through."""
    path = Path(path)
    if path.is_dir():
        found = sorted(p for p in path.rglob("*") if p.suffix in (*suffixes, ".deb"))
        return [archive for p in found for archive in archives(p, suffixes)]
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file or folder")
    if path.suffix == ".deb":
        return [ZipFiles(io.BytesIO(data), name) for name, data in _deb_files(path, suffixes)]
    return [ZipFiles(path, path.name)]


def _deb_files(path, suffixes):
    """(name, bytes) of the regular files with one of the suffixes in a .deb."""
    data = _ar_member(path, "data.tar")
    try:
        with tarfile.open(fileobj=io.BytesIO(data)) as tar:
            for member in tar:
                if member.isreg() and member.name.endswith(suffixes) and member.size <= MAX_BYTES:
                    yield posixpath.basename(member.name), tar.extractfile(member).read()
    except (tarfile.TarError, lzma.LZMAError, EOFError) as error:
        raise ValueError(f"{path}: unreadable package ({error}); unpack it: dpkg -x") from None


def _ar_member(path, prefix):
    """Bytes of the first member of an `ar` archive whose name starts with `prefix`."""
    with Path(path).open("rb") as file:
        if file.read(len(AR_MAGIC)) != AR_MAGIC:
            raise ValueError(f"{path}: not a Debian package")
        while len(header := file.read(60)) == 60:
            name, size = header[:16].decode("ascii", "replace").strip(), int(header[48:58])
            if name.startswith(prefix):
                return file.read(size)
            file.seek(size + size % 2, io.SEEK_CUR)
    raise ValueError(f"{path}: no {prefix} in this Debian package")
