"""Writes the seeds: small whole files of each kind, and the usual ways to be broken."""

import base64
import gzip
import io
import json
import pathlib
import struct
import zipfile
import zlib

HERE = pathlib.Path(__file__).parent


def put(target, name, data):
    folder = HERE / target
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(data if isinstance(data, bytes) else data.encode())


def idx(kind, count, items):
    header = struct.pack(">II", 0x0803 if kind == 0 else 0x0801, count)
    if kind == 0:
        header += struct.pack(">II", 28, 28)
    return header + bytes(index % 10 for index in range(items * (784 if kind == 0 else 1)))


for kind, name in ((0, "images"), (1, "labels")):
    whole = idx(kind, 2, 2)
    first = bytes([kind])
    put("idx", name, first + whole)
    put("idx", name + "-packed", first + gzip.compress(whole, mtime=0))
    put("idx", name + "-short", first + whole[:-1])
    put("idx", name + "-long", first + whole + b"\0")
    put("idx", name + "-absurd", first + idx(kind, 0xFFFFFFFF, 1))
    put("idx", name + "-packed-cut", first + gzip.compress(whole, mtime=0)[:-9])

def npz(compression):
    """Eight 8x8 images in two classes."""
    def npy(shape, values):
        text = "{'descr': '|u1', 'fortran_order': False, 'shape': %s, }\n" % (shape,)
        return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode() + values

    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        for name, shape, values in (
            ("images", (8, 8, 8), bytes(index % 256 for index in range(512))),
            ("labels", (8,), bytes(index % 2 for index in range(8))),
        ):
            archive.writestr(zipfile.ZipInfo(name + ".npy"), npy(shape, values), compression)
    return out.getvalue()


put("set", "npz", b"\1" + npz(zipfile.ZIP_STORED))
put("set", "npz-packed", b"\1" + npz(zipfile.ZIP_DEFLATED))
put("set", "npz-cut", b"\1" + npz(zipfile.ZIP_DEFLATED)[:-30])
TABLE = "".join(f"{line % 2}" + ",7,200" * 32 + "\n" for line in range(8))
put("set", "csv", "\2" + TABLE)
put("set", "csv-header", "\2label" + ",pixel" * 64 + "\n" + TABLE)
put("set", "csv-packed", b"\2" + gzip.compress(TABLE.encode(), mtime=0))
put("set", "csv-unnamed", "\0" + TABLE)

SHAPES = {
    "layer1_conv.weight": [6, 1, 5, 5],
    "layer1_conv.bias": [6],
    "layer2_conv.weight": [16, 6, 5, 5],
    "layer2_conv.bias": [16],
    "fc.weight": [10, 256],
    "fc.bias": [10],
}


def safetensors(tensors, metadata, kind="F32", scale=1):
    header, at = {"__metadata__": metadata}, 0
    for name, shape in tensors.items():
        size = 4
        for extent in shape:
            size *= extent
        header[name] = {"dtype": kind, "shape": shape, "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text) * scale) + text + b"\0" * at


CONFIG = {
    "data": "builtin", "epochs": 10, "batch_size": 50, "learning_rate": 0.001, "seed": 0,
    "shuffle": True, "validation": 0, "max_steps": None, "init": None, "save": None,
    "threads": None, "device": "auto",
}
PROGRESS = {
    "epoch": 1, "batch": 3, "step": 3, "images": 150, "optimiser_step": 3, "rates": [[0, 0.001]],
    "clock": {"training": 0.1, "evaluating": 0.0}, "epoch_seconds": 0.1, "evaluated": None,
    "best": None,
}
FULL = {
    **SHAPES,
    **{"first_moment." + name: shape for name, shape in SHAPES.items()},
    **{"second_moment." + name: shape for name, shape in SHAPES.items()},
    "losses": [3],
}
FACTS = {
    "format": "pt", "mnist_tui_format": "1", "config": json.dumps(CONFIG),
    "progress": json.dumps(PROGRESS), "journal_bytes": "0",
}
put("checkpoint", "weights", safetensors(SHAPES, {"format": "pt"}))
put("checkpoint", "whole", safetensors(FULL, FACTS))
put("checkpoint", "short", safetensors(FULL, FACTS)[:-40])
put("checkpoint", "halves", safetensors(FULL, FACTS, kind="F16"))
put("checkpoint", "long-header", safetensors(SHAPES, {}, scale=1 << 40))
put("checkpoint", "other-version", safetensors(FULL, {**FACTS, "mnist_tui_format": "2"}))
put("checkpoint", "no-progress", safetensors(FULL, {**FACTS, "progress": "{}"}))

CLOCK = {"training": 0.1, "evaluating": 0.0}
INFO = {
    "data": "builtin", "train_images": 60000, "eval_images": 10000, "eval_set": "test",
    "test_images": 10000, "epochs": 1, "batch_size": 50, "steps_per_epoch": 1200,
    "total_steps": 1200, "learning_rate": 0.001, "seed": 0, "shuffle": True, "device": "CPU",
    "parameters": 5142, "saves": False,
}
EVENTS = [
    {"started": INFO},
    {"state": "training"},
    {"progress": {"epoch": 1, "first_step": 1, "first_batch": 1, "losses": [2.3, None, 0.1],
                  "images": 150, "learning_rate": 0.001, "clock": CLOCK}},
    {"learning_rate": {"step": 3, "learning_rate": 0.0005, "branch": False}},
    {"break": {"breakpoint": "spike", "step": 3, "reason": "high"}},
    {"rewound": {"step": 1, "epoch": 1, "batch": 1, "images": 50, "learning_rate": 0.001,
                 "clock": CLOCK, "tail": [2.3]}},
    {"epoch": {"epoch": 1, "step": 1, "batches": 1, "train_loss": None, "train_seconds": 1.0,
               "images_per_second": 50.0, "clock": CLOCK,
               "evaluation": {"set": "test", "loss": 0.1, "correct": 9, "total": 10,
                              "seconds": 0.1, "confusion": [[1] * 10] * 10}}},
    {"finished": {"steps": 1, "images": 50, "clock": CLOCK, "test": None, "stopped": True,
                  "saved": None}},
]
LINES = [json.dumps(event) for event in EVENTS]
put("journal", "whole", "\n".join(LINES) + "\n")
put("journal", "cut", "\n".join(LINES)[:-20])
put("journal", "far", LINES[0] + "\n" + LINES[2].replace('"first_step": 1', '"first_step": 99999999') + "\n")
put("journal", "long-tail", "\n".join(LINES).replace('"rewound": {"step": 1', '"rewound": {"step": 0') + "\n")
put("journal", "failed", LINES[0] + '\n{"failed":{"usage":false,"message":"no memory"}}\n')

NETWORK = "conv 8 k3 p1 nobias, bn, relu, residual(conv 8 k3 p1, bn), pool 2 s2, dropout 0.1, flatten, linear"
put("network", "line", NETWORK)
put("network", "names", "conv 4 k1 s2, gelu, avgpool 2, gap, linear 16, linear nobias")
put("network", "deep", "residual(" * 9 + "relu" + ")" * 9)
put("network", "file", "[[layer]]\ntype = \"residual\"\n[[layer.layer]]\ntype = \"conv\"\nchannels = 1\n"
    "kernel = 3\npadding = 1\nbias = false\n[[layer]]\ntype = \"dropout\"\np = 0.5\n")
put("checkpoint", "network", safetensors(
    {"fc1.weight": [10, 784], "fc1.bias": [10]},
    {"format": "pt", "mnist_tui_network": "flatten, linear"}))
put("checkpoint", "prefixed", safetensors({"module." + name: shape for name, shape in SHAPES.items()}, {}))

put("arguments", "train", "mnist-tui\n--epochs\n3\n--lr\n1e-3\n--break\nspike\n--headless\n")
put("arguments", "eval", "mnist-tui\neval\n--weights\nw.safetensors\n--json\n")
put("arguments", "resume", "mnist-tui\n--resume\nrun\n--threads\n2\n")
put("arguments", "breakpoint", "accuracy >= 98%")
put("arguments", "config", json.dumps(CONFIG))


def pieces(*those):
    """Each piece begins with its length and with what is waited after it, in hundredths of a second."""
    return b"".join(bytes([len(piece), pause]) + piece for piece, pause in those)


put("input", "keys", pieces((b"p", 10), (b"\x1b[A", 10), (b"g", 10), (b"1", 10), (b"\r", 10), (b"\x1b\x1b", 50)))
put("input", "reply", pieces((b"\x1b]11;rgb:1e1e/1e1e", 5), (b"/1e1e\x1b\\", 20), (b"\x1b[?64;1;2c\x1b[24;80R", 0)))
put("input", "paste", pieces((b"\x1b[200~should be ", 5), (b"updated\r\x1b[201~", 20), (b"quick", 1), (b"ly", 20)))
put("input", "mouse", pieces((b"7", 10), (b"\x1b[<0;10;10M\x1b[<32;12;10M\x1b[<0;12;10m\x1b[M !!", 10)))


def png(width, height, grey):
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    rows = b"".join(b"\0" + bytes(grey(x, y) for x in range(width)) for y in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


# A seven of MNIST in 32×32 pixels.
BASELINE = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDACgcHiMeGSgjISMtKygwPGRBPDc3PHtYXUlkkYCZlo+AjIqgtObDoKrarYqM"
    "yP/L2u71////m8H////6/+b9//j/wAALCAAgACABAREA/8QAGAAAAwEBAAAAAAAAAAAAAAAAAAEEBQL/xAAiEAACAgIB"
    "AwUAAAAAAAAAAAABAgADBBEhBRIiEyRBUbH/2gAIAQEAAD8A2YQhE6h0ZSSARriRDpvZr0cm6v7029ybLrvxlQLmWtY7"
    "AKu5rICEAY7OuTHEzBVLMQAOSTIMP3mY+WR4L417/ZoQkHVRkWVrTQjHvOmI+BLakFdaooAAGtCdT//Z"
)
PROGRESSIVE = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDACgcHiMeGSgjISMtKygwPGRBPDc3PHtYXUlkkYCZlo+AjIqgtObDoKrarYqM"
    "yP/L2u71////m8H////6/+b9//j/wgALCAAgACABAREA/8QAFwABAQEBAAAAAAAAAAAAAAAAAAMEAf/aAAgBAQAAAAHY"
    "EJ6zPoQt3//EAB0QAAIBBAMAAAAAAAAAAAAAAAECAAMQEiATISL/2gAIAQEAAQUC144wK6J7e1XIgdCf/8QAHRAAAQMF"
    "AQAAAAAAAAAAAAAAARARIAACEiEykf/aAAgBAQAGPwKOriK7Lwy8Vgv/xAAcEAEAAwACAwAAAAAAAAAAAAABABEhEDEg"
    "QbH/2gAIAQEAAT8h8EsSZ+1CikThDreFotmj1M5UBu9wUBx//9oACAEBAAAAEPS7/8QAHRABAQACAQUAAAAAAAAAAAAA"
    "AREAIRAgQVFhsf/aAAgBAQABPxDoJxQSaw0+0lXC0JFMKEVZt4BEANq5sZ5j7yUGuI7GGCACQ4//2Q=="
)
put("picture", "baseline", BASELINE)
put("picture", "progressive", PROGRESSIVE)
put("picture", "cut", BASELINE[:-60])
put("picture", "followed", BASELINE + BASELINE[:80])
put("picture", "one", png(28, 28, lambda x, y: 255 if 12 < x < 16 and 4 < y < 24 else 0))
put("picture", "uneven", png(140, 120, lambda x, y: 200 - x - (40 if 60 < x - y // 4 < 70 and 30 < y < 90 else 0)))
put("picture", "blank", png(9, 4, lambda x, y: 200))
