"""Random requests to the demo: right ones, wrong ones, and what is hardly HTTP."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from tests.fuzz.odd_http import ODD_HEADERS, ODD_PATHS, ODD_VALUES
from tests.fuzz.odd_pictures import FORMATS, broken, picture
from tests.fuzz.openapi import Description, Operation

BOUNDARY = b"x----y"


@dataclass(frozen=True, kw_only=True)
class Case:
    """A request.

    Attributes:
        kind: what is odd about it.
        method: of the request, for reading its response.
        path: without its query; empty if it is not one of HTTP.
        sent: all its bytes.
        whole: whether it is complete, so that the server must respond.
    """

    kind: str
    method: str
    path: str
    sent: bytes
    whole: bool = True


class Requests:
    """A generator of cases.

    Args:
        seed: of all that is random.
    """

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        description = Description()
        self._posts = [each for each in description.operations if each.method == "POST"]
        self._pictures = [
            picture(self._random, format_, mode)
            for format_ in FORMATS
            for mode in ("L", "RGB", "RGBA", "P", "1")
        ]
        self._kinds: list[tuple[Callable[[], Case], int]] = [
            (self._right, 12),
            (self._odd_field, 25),
            (self._odd_picture, 25),
            (self._odd_body, 12),
            (self._odd_path, 8),
            (self._odd_header, 10),
            (self._odd_start, 4),
            (self._noise, 4),
        ]

    def next(self) -> Case:
        """Return the next case."""
        kinds, weights = zip(*self._kinds, strict=True)
        make: Callable[[], Case] = self._random.choices(kinds, weights)[0]
        return make()

    def _right(self) -> Case:
        operation = self._random.choice(self._posts)
        return self._post("right", operation, self._fields(operation))

    def _odd_field(self) -> Case:
        random, operation = self._random, self._random.choice(self._posts)
        fields = self._fields(operation)
        for _ in range(random.choice((1, 1, 2))):
            name = random.choice([*operation.fields, *operation.fields, "x" * 5000, "\ud800", ""])
            fields[name] = random.choice(ODD_VALUES)
        if random.random() < 0.1:
            fields.pop(random.choice(list(fields)))
        return self._post("odd field", operation, fields)

    def _odd_picture(self) -> Case:
        random, operation = self._random, self._random.choice(self._posts)
        fields = self._fields(operation)
        pictures = [name for name, schema in operation.fields.items() if _is_picture(schema)]
        fields[random.choice(pictures)] = broken(random, random.choice(self._pictures))
        return self._post("odd picture", operation, fields)

    def _fields(self, operation: Operation) -> dict[str, Any]:
        """Return fields that can be used: pictures as bytes, the rest as texts of JSON."""
        random = self._random
        fields: dict[str, Any] = {}
        line = random.choice(self._pictures)
        for name, schema in operation.fields.items():
            if name not in operation.required and random.random() < 0.6 and name != "size":
                continue
            if name == "hints":
                fields[name] = random.choice((line, picture(random, "PNG", "RGBA")))
            elif _is_picture(schema):
                fields[name] = line
            elif name == "model":
                names = ["tracer", "xdog", "sketchkeras", "inker", "centerline", "simo_serra", "x"]
                fields[name] = json.dumps(random.choice(names)).encode()
            elif "enum" in schema:
                fields[name] = json.dumps(random.choice(schema["enum"])).encode()
            else:
                low, high = schema["minimum"], schema.get("maximum", 20)
                high = 96 if name == "size" else high  # a large sketch takes seconds
                number = random.choice((low, high, random.randint(low, high)))
                fields[name] = str(number).encode()
        return fields

    def _post(self, kind: str, operation: Operation, fields: dict[str, Any]) -> Case:
        if self._random.random() < 0.5:
            media, body = b"application/json", self._json(fields)
        else:
            media, body = b"multipart/form-data; boundary=" + BOUNDARY, self._form(fields)
        return self._case(kind, operation.method, operation.path, body, [b"Content-Type: " + media])

    def _json(self, fields: dict[str, Any]) -> bytes:
        texts = []
        for name, value in fields.items():
            if value in ODD_VALUES or len(value) < 20:
                text = value
            else:
                prefix = self._random.choice((b"", b"", b"data:image/png;base64,"))
                text = b'"' + prefix + base64.b64encode(value) + b'"'
            texts.append(json.dumps(name).encode() + b":" + text)
        return b"{" + b",".join(texts) + b"}"

    def _form(self, fields: dict[str, Any]) -> bytes:
        parts = []
        for name, value in fields.items():
            key = name.encode("utf-8", "surrogatepass")
            text = value.strip(b'"') if len(value) < 20 else value
            is_file = len(value) >= 20 and value not in ODD_VALUES
            file = b'; filename="a.png"' if is_file or self._random.random() < 0.05 else b""
            head = b'Content-Disposition: form-data; name="' + key + b'"' + file
            parts.append(b"--" + BOUNDARY + b"\r\n" + head + b"\r\n\r\n" + text + b"\r\n")
        return b"".join(parts) + b"--" + BOUNDARY + b"--\r\n"

    def _odd_body(self) -> Case:
        random, operation = self._random, self._random.choice(self._posts)
        fields = self._fields(operation)
        form, document = self._form(fields), self._json(fields)
        many = {f"f{index}": b"x" for index in range(random.choice((33, 1000, 5000)))}
        body = random.choice(
            (
                self._form(many),
                b"{" * 9999,
                b"[" * 99_999,
                b"9" * 9999,
                b"",
                b"\0" * 100,
                b" " * 99_999,
                random.randbytes(random.choice((1, 100, 5000))),
                form[: random.randrange(len(form))],
                document[: random.randrange(len(document))],
                form + form,
                document + document,
                form.replace(b"form-data", b"form-data" * 500, 1),
                form.replace(b"\r\n", b"\n"),
                form.replace(b"name=", b"name*=utf-8''", 1),
                form.replace(b'"', b""),
                b"\xef\xbb\xbf" + document,
                document.decode().encode("utf-16"),
                b"--" + BOUNDARY + b"--\r\n",
                form.replace(b"\r\n\r\n", b"\r\nContent-Transfer-Encoding: base64\r\n\r\n", 1),
                form.replace(
                    b"\r\n\r\n", b"\r\nContent-Type: text/plain; charset=utf-7\r\n\r\n", 1
                ),
            )
        )
        media = random.choice(
            (
                b"application/json",
                b"application/json; charset=utf-16",
                b"text/plain",
                b"",
                b"a" * 5000,
                b"multipart/form-data; boundary=" + BOUNDARY,
                b"multipart/form-data; boundary=" + BOUNDARY,
                b"multipart/form-data",
                b'multipart/form-data; boundary="',
                b"multipart/mixed; boundary=x",
                b"application/x-www-form-urlencoded",
            )
        )
        length = random.random()
        if length < 0.1:  # in chunks
            size = random.choice((1, 100, 10**6))
            pieces = [body[start : start + size] for start in range(0, len(body), size)][:2000]
            body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
            body += random.choice(
                (b"0\r\n\r\n", b"0\r\nA: b\r\n\r\n", b"zz\r\n\r\n", b"-1\r\n\r\n")
            )
            head = [b"Content-Type: " + media, b"Transfer-Encoding: chunked"]
            return self._case("odd body", "POST", operation.path, body, head, length=False)
        shift = 0 if length < 0.8 else random.choice((-1, -50, 1, 50, 10**6, 10**12, 10**20))
        claimed = max(0, len(body) + shift)
        head = [b"Content-Type: " + media, b"Content-Length: %d" % claimed]
        whole = claimed <= len(body) or claimed > 2**30  # that is refused at once
        return self._case("odd body", "POST", operation.path, body, head, length=False, whole=whole)

    def _odd_path(self) -> Case:
        method = self._random.choice(("GET", "GET", "GET", "HEAD", "POST", "OPTIONS"))
        return self._case("odd path", method, self._random.choice(ODD_PATHS), b"", [])

    def _odd_header(self) -> Case:
        random = self._random
        if random.random() < 0.5:
            paths = (
                b"/",
                b"/healthz",
                b"/static/main.js",
                b"/api/models",
                b"/api/samples/cat/line.png",
            )
            case = self._case("odd header", "GET", random.choice(paths), b"", [])
        else:
            case = self._right()
        lines = b"".join(
            each + b"\r\n" for each in random.choices(ODD_HEADERS, k=random.choice((1, 1, 3)))
        )
        first, _, rest = case.sent.partition(b"\r\n")
        if lines.startswith(b"Host"):  # in place of the right one
            rest = rest.partition(b"\r\n")[2]
        # A length of its own may leave the request without its end.
        whole = b"Content-Length" not in lines or b"Content-Length: " + b"9" * 99 in lines
        sent = first + b"\r\n" + lines + rest
        return Case(kind="odd header", method=case.method, path=case.path, sent=sent, whole=whole)

    def _odd_start(self) -> Case:
        random = self._random
        method = random.choice(
            (
                b"PUT",
                b"DELETE",
                b"TRACE",
                b"CONNECT",
                b"PATCH",
                b"get",
                b"G\xff",
                b"A" * 5000,
                b"PRI",
                b"",
            )
        )
        version = random.choice(
            (b"HTTP/1.1", b"HTTP/1.0", b"HTTP/0.9", b"HTTP/2.0", b"HTTP/9", b"X", b"")
        )
        path = random.choice([*ODD_PATHS, b"/", b"/api/colorize"])
        sent = (
            method
            + b" "
            + path
            + b" "
            + version
            + b"\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
        )
        return Case(kind="odd start", method=method.decode("latin-1"), path="", sent=sent)

    def _noise(self) -> Case:
        random = self._random
        sent = random.choice(
            (
                random.randbytes(random.choice((1, 100, 5000))),
                b"\x16\x03\x01" + random.randbytes(200),
                b"\r\n" * random.randrange(1, 50),
                b"\0" * 500,
                b"GET /\r\n",
                b"SSH-2.0-a\r\n",
                b"GET / HTTP/1.1\rHost: a\r\n",
                b"GET / HTTP/1.1\nHost: 127.0.0.1\n",
            )
        )
        # Of an empty line alone nothing is to be said.
        whole = bool(sent.strip())
        return Case(kind="noise", method="GET", path="", sent=sent + b"\r\n\r\n", whole=whole)

    def _case(
        self,
        kind: str,
        method: str,
        path: str | bytes,
        body: bytes,
        head: list[bytes],
        *,
        length: bool = True,
        whole: bool = True,
    ) -> Case:
        target = path.encode() if isinstance(path, str) else path
        lines = [
            method.encode() + b" " + target + b" HTTP/1.1",
            b"Host: 127.0.0.1",
            b"Connection: close",
            *head,
            *([b"Content-Length: %d" % len(body)] if length and body else []),
        ]
        sent = b"\r\n".join([*lines, b"", b""]) + body
        shown = target.partition(b"?")[0].decode("latin-1")
        return Case(kind=kind, method=method, path=shown, sent=sent, whole=whole)


def _is_picture(schema: dict[str, Any]) -> bool:
    return "contentEncoding" in schema
