"""Makes the tar archives that TarArchiveTests reads, with Python's own tarfile: `python make_archives.py`."""

import io
import os
import pickle
import struct
import tarfile
import zipfile

from PIL import Image


def picture(kind, shade):
    data = io.BytesIO()
    Image.new("RGB", (6, 4), (shade, 10, 200)).save(data, kind)
    return data.getvalue()


LONG = "deep/" * 20 + "n" * 60 + ".png"  # 164 bytes: fits into ustar's prefix and name
LONGER = "folder/" * 20 + "m" * 160 + ".jpg"  # 304 bytes: fits only into an extended header
for name, kind, names in [
    ("ustar", tarfile.USTAR_FORMAT, [LONG]),
    ("gnu", tarfile.GNU_FORMAT, [LONG, LONGER]),
    ("pax", tarfile.PAX_FORMAT, [LONG, LONGER, "münze.png"]),
]:
    with tarfile.open(f"{name}.tar", "w", format=kind) as archive:

        def add(path, data):
            info = tarfile.TarInfo(path)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))

        folder = tarfile.TarInfo("deep")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
        add("0001.jpg", picture("JPEG", 40))
        add("0001.json", b'{"caption": "none"}')
        link = tarfile.TarInfo("0002.png")
        link.type, link.linkname = tarfile.SYMTYPE, "0001.jpg"
        archive.addfile(link)
        add("._0001.jpg", b"what another system leaves behind")
        for shade, path in enumerate(names):
            add(path, picture("PNG" if path.endswith("png") else "JPEG", 100 + shade))

# Zip archives that StoredZipTests read.
with zipfile.ZipFile("zip64.zip", "w") as archive:
    for name, text in [("first", b"one"), ("second", b"two")]:
        with archive.open(zipfile.ZipInfo(name), "w", force_zip64=True) as entry:
            entry.write(text)
# zipfile writes the wide end of the directory only beyond 65,535 entries or 4 GiB, so the narrow one is widened here as APPNOTE 4.3.14 says.
data = open("zip64.zip", "rb").read()
end = data.rindex(b"PK\5\6")
count, size, start = struct.unpack("<HII", data[end + 10 : end + 20])
wide = b"PK\6\6" + struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, count, count, size, start)
locator = b"PK\6\7" + struct.pack("<IQI", 0, end, 1)
narrow = b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
open("zip64.zip", "wb").write(data[:end] + wide + locator + narrow)
assert zipfile.ZipFile("zip64.zip").read("second") == b"two"

with zipfile.ZipFile("deflated.zip", "w", zipfile.ZIP_DEFLATED) as archive:
    archive.writestr(zipfile.ZipInfo("data.pkl"), b"N." * 100, zipfile.ZIP_DEFLATED)


class Hostile:
    def __reduce__(self):
        return os.system, ("true",)


with zipfile.ZipFile("hostile.pth", "w") as archive:
    archive.writestr(zipfile.ZipInfo("hostile/data.pkl"), pickle.dumps({"mean": Hostile()}, 2))
