"""Asks Debian's libvomsapi (full verification: signature, holder, time, target, key) about the proxy file named. Prints what it believes as
JSON, or {"error": ...}. voms-proxy-info is no judge: where verification fails it shows the proxy all the same."""
import ctypes
import json
import sys


class Voms(ctypes.Structure):
    _fields_ = (
        [("siglen", ctypes.c_int), ("signature", ctypes.c_void_p)]
        + [(name, ctypes.c_char_p) for name in ("user", "userca", "server", "serverca", "vo", "uri", "date1", "date2")]
        + [("type", ctypes.c_int), ("std", ctypes.c_void_p), ("custom", ctypes.c_void_p)]
        + [("datalen", ctypes.c_int), ("version", ctypes.c_int), ("fqan", ctypes.POINTER(ctypes.c_char_p))]
        + [("serial", ctypes.c_char_p)]
    )


class VomsData(ctypes.Structure):
    _fields_ = [("cdir", ctypes.c_char_p), ("vdir", ctypes.c_char_p), ("data", ctypes.POINTER(ctypes.POINTER(Voms)))]


def listed(pointers):
    found = []
    while pointers and pointers[len(found)]:
        found.append(pointers[len(found)])
    return found


voms = ctypes.CDLL("libvomsapi.so.1")
libc = ctypes.CDLL(None)
libc.fopen.restype = ctypes.c_void_p
voms.VOMS_Init.restype = ctypes.POINTER(VomsData)
voms.VOMS_ErrorMessage.restype = ctypes.c_char_p
file, vomsdir, authorities = (word.encode() for word in sys.argv[1:4])
data = voms.VOMS_Init(vomsdir, authorities)
error = ctypes.c_int(0)
good = voms.VOMS_RetrieveFromFile(ctypes.c_void_p(libc.fopen(file, b"r")), 0, data, ctypes.byref(error))
if not good:
    said = ctypes.create_string_buffer(4096)
    voms.VOMS_ErrorMessage(data, error, said, 4096)
    print(json.dumps({"error": error.value, "message": said.value.decode(errors="replace")}))
else:
    names = ("user", "userca", "server", "serverca", "vo", "uri", "serial")
    print(
        json.dumps(
            [
                {name: getattr(one.contents, name).decode() for name in names}
                | {"fqans": [fqan.decode() for fqan in listed(one.contents.fqan)]}
                for one in listed(data.contents.data)
            ]
        )
    )
