"""Small ICC profiles of version 2, such as screens, scanners and presses have."""

import struct

SRGB_COLORANTS = ((0.4360, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7142))
P3_COLORANTS = ((0.5151, 0.2412, -0.0011), (0.2920, 0.6922, 0.0419), (0.1571, 0.0666, 0.7841))
"""XYZ of red, green and blue under D50."""

PAPER, INK = (255, 128, 128), (0, 128, 128)
"""White and black, in Lab of 8 bits."""


def _profile(device: bytes, space: bytes, connection: bytes, tags: dict[bytes, bytes]) -> bytes:
    tags = {b"desc": b"desc" + bytes(4) + struct.pack(">I", 2) + b"a\0" + bytes(78)} | tags
    tags |= {b"wtpt": _xyz(0.9642, 1.0, 0.8249), b"cprt": b"text" + bytes(4) + b"none\0"}
    at, table, rest = 128 + 4 + 12 * len(tags), b"", b""
    for name, body in tags.items():
        table += name + struct.pack(">II", at + len(rest), len(body))
        rest += body.ljust(-(-len(body) // 4) * 4, b"\0")
    head = b"lcms" + bytes((2, 0x40, 0, 0)) + device + space + connection
    head += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(28)
    head += struct.pack(">3I", 0xF6D6, 0x10000, 0xD32D) + bytes(48)
    body = head + struct.pack(">I", len(tags)) + table + rest
    return struct.pack(">I", len(body) + 4) + body


def _xyz(*values: float) -> bytes:
    return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(value * 65536) for value in values))


def _gamma(gamma: float) -> bytes:
    return b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256))


def rgb_profile(
    colorants: tuple[tuple[float, float, float], ...] = P3_COLORANTS, gamma: float = 2.2
) -> bytes:
    """Return the profile of a screen."""
    names = (b"r", b"g", b"b")
    tags = {name + b"XYZ": _xyz(*xyz) for name, xyz in zip(names, colorants, strict=True)}
    tags |= {name + b"TRC": _gamma(gamma) for name in names}
    return _profile(b"mntr", b"RGB ", b"XYZ ", tags)


def rounded_srgb_profile() -> bytes:
    """Return the profile of sRGB as makers round it: a table for the curve, and other colorants."""
    levels = [level / 255 for level in range(256)]
    light = [x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in levels]
    curve = b"curv" + bytes(4) + struct.pack(">I256H", 256, *(round(65535 * x) for x in light))
    names = (b"r", b"g", b"b")
    tags = {
        name + b"XYZ": _xyz(*(value + 0.0002 for value in xyz))
        for name, xyz in zip(names, SRGB_COLORANTS, strict=True)
    }
    return _profile(b"mntr", b"RGB ", b"XYZ ", tags | {name + b"TRC": curve for name in names})


def grey_profile(gamma: float = 1.0) -> bytes:
    return _profile(b"mntr", b"GRAY", b"XYZ ", {b"kTRC": _gamma(gamma)})


def cmyk_profile(ink: tuple[int, int, int] = (128, 128, 128)) -> bytes:
    """Return the profile of a press on which every solid ink, alone or with others, is one Lab."""
    identity = bytes(range(256))
    nodes = [PAPER if node == 0 else ink for node in range(16)]
    matrix = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    lut = b"mft1" + bytes(4) + bytes((4, 3, 2, 0)) + matrix + identity * 4
    lut += b"".join(bytes(node) for node in nodes) + identity * 3
    return _profile(b"prtr", b"CMYK", b"Lab ", {b"A2B0": lut})
