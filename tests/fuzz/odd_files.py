"""Headers, tables, answers and files, whole and broken."""

import json
from functools import cache
from random import Random

NUMBERS = ("0", "7", "-1", "3.0", "1e9", "1e999", "nan", "", "9" * 20, "9" * 5000, "²", "٣", " 5 ")
DATES = (
    "Sun, 01 Mar 2026 12:01:00 GMT",
    "Fri, 01 Jan 99999999999999999999 00:00:00 GMT",
    "Sun, 01 Mar 2026 12:01:00 +99999999999999999999",
    "Sun, 99 Xyz -5 99:99:99",
)
WORDS = ("", "image/png", "noai", "unavailable_after: x", "Senga: noai", "a,b:c", "*", "\x00", "ä")
_COLUMNS = "id created_at rating score sample_url sample_width sample_height preview_url tags"


def changed(random: Random, content: bytes) -> bytes:
    """Return bytes with a few of them changed, cut, doubled or moved."""
    result = bytearray(content)
    for _ in range(random.choice((1, 1, 2, 5, 30))):
        if not result:
            return random.randbytes(random.choice((0, 1, 50)))
        start = random.randrange(min(len(result), random.choice((40, 400, 10**9))))
        end = min(len(result), start + random.choice((1, 1, 4, 16, 1000)))
        kind = random.randrange(5)
        if kind == 0:
            del result[start:end]
        elif kind == 1:
            result[start:start] = result[start:end] * random.choice((1, 20))
        elif kind == 2:
            result[start:end] = random.choice((b"\xff", b"\0")) * (end - start)
        else:
            result[start] = random.randrange(256)
    return bytes(result[: random.randrange(len(result) + 1)] if random.random() < 0.1 else result)


def headers(random: Random) -> dict[str, str]:
    """Return the headers of a response."""
    values = (*NUMBERS, *DATES, *WORDS)
    names = ("Content-Type", "Content-Length", "Retry-After", "X-Robots-Tag")
    found = {}
    for name in names:
        if random.random() < 0.8:
            value = random.choice(values)
            if random.random() < 0.3:
                value = changed(random, value.encode()).decode("latin-1")
            found[name] = value
    return found


def robots(random: Random) -> bytes:
    """Return a robots.txt."""
    lines = []
    for _ in range(random.choice((0, 1, 5, 300))):
        field = random.choice(
            ("User-agent", "Disallow", "Allow", "Crawl-delay", "Request-rate", "")
        )
        value = random.choice((*NUMBERS, *WORDS, "Senga", "/" + "*a" * random.randrange(200) + "$"))
        lines.append(f"{field}{random.choice((':', ' ', '::'))}{value}")
    content = "\n".join(lines).encode()
    return changed(random, content) if random.random() < 0.5 else content


def csv(random: Random) -> bytes:
    """Return a CSV in the Kaggle layout, or hardly."""
    columns = _COLUMNS.split()
    if random.random() < 0.3:
        random.shuffle(columns)
    separator = random.choice((",", ",", ";", "\t"))
    rows = [columns]
    for number in range(random.choice((0, 1, 3, 40))):
        row = {
            "id": str(number) if random.random() < 0.8 else random.choice(NUMBERS),
            "sample_url": f"//safebooru.example/{number}.jpg",
            "tags": random.choice(
                ("1girl solo", "a" * 40_000, "&#" + "9" * 5000 + ";", ";) #x", '"')
            ),
        }
        fields = [row.get(name, random.choice((*NUMBERS, *WORDS))) for name in columns]
        if random.random() < 0.5:
            fields = ['"' + field.replace('"', '""') + '"' for field in fields]
        rows.append(fields[: random.choice((9, 9, 9, 8, 2))])
    end = random.choice(("\n", "\n", "\r\n", "\n\n", "\0\n"))
    content = end.join(separator.join(row) for row in rows).encode()
    return changed(random, content) if random.random() < 0.6 else content


def _value(random: Random, depth: int = 0) -> object:
    """Return any JSON value."""
    kind = random.randrange(9 if depth < 4 else 6)
    if kind == 6:
        return [_value(random, depth + 1) for _ in range(random.randrange(4))]
    if kind >= 7:
        return {random.choice(WORDS): _value(random, depth + 1) for _ in range(random.randrange(4))}
    if kind == 5:
        return random.choice((True, False, None, 10**400, float("inf"), -0.0, 2**70))
    return random.choice((*NUMBERS, *WORDS))


def board_page(random: Random) -> bytes:
    """Return what a board says: a page of posts, or anything else."""
    names = (
        "id rating score sample sample_url sample_width file_url width height tags image directory"
    )
    posts: list[object] = []
    for number in range(random.choice((0, 1, 3, 50))):
        post: dict[str, object] = {"id": number, "file_url": f"//x.example/{number}.jpg"}
        for name in names.split():
            if random.random() < (0.02 if name == "id" else 0.3):
                post[name] = _value(random)
        posts.append(post if random.random() < 0.9 else _value(random))
    page: object = random.choice(
        (posts, posts, {"post": posts}, {"@attributes": {}}, _value(random))
    )
    content = json.dumps(page).encode()
    if random.random() < 0.05:
        content = random.choice(
            (b"[" * 100_000, b'{"a":' * 5000, b"<html><title>x", b"", b"\xff\xfe")
        )
    return changed(random, content) if random.random() < 0.2 else content


@cache
def packed_file() -> bytes:
    """Return a small `train.h5`."""
    import tempfile
    from pathlib import Path

    from tests.pipeline.pack.test_dataset_reader import write

    with tempfile.TemporaryDirectory() as folder:
        return write(Path(folder) / "t.h5").read_bytes()


@cache
def colorizer_file() -> bytes:
    """Return the file of a small colorizer."""
    import tempfile
    from pathlib import Path

    from pipeline.colorizer.colorizer_file import write_colorizer
    from pipeline.colorizer.networks.vae import Vae
    from pipeline.colorizer.train_job import TrainJob
    from tests.pipeline.colorizer.networks.test_networks import small

    with tempfile.TemporaryDirectory() as folder:
        vae = Vae(small(), 64)
        path = Path(folder) / "c.safetensors"
        write_colorizer(path, vae.encoder, vae.generator, TrainJob(train="t", network=small()), 64)
        return path.read_bytes()


@cache
def line_weights_file() -> bytes:
    """Return the file of a line network."""
    from sketch_models.line_weights import SHIPPED_FOLDER

    return (SHIPPED_FOLDER / "inker.safetensors").read_bytes()
