"""Small pictures of every kind that a format has, and what Pillow sees in them.

Writes to the folder named on the command line:

  images/*           the encoded pictures
  pictures.json      for each its size, and where the reference pixels are; what Pillow cannot read has the pixels of
                     the drawing that it was written from
  pictures.bin.gz    RGB pixels, back to back: upright, transparency on white

TIFF, BMP, ICO and PNG are written here byte by byte, since Pillow reads more kinds of them than it writes. Needs
Pillow and numpy (Debian's python3-pil and python3-numpy will do):
  python3 scripts/make-picture-golden.py test/fixtures/pictures
"""

import gzip
import io
import json
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
import PIL
from PIL import Image, ImageOps

OUT = Path(sys.argv[1])
W, H = 23, 14
"""Odd, so that rows need padding wherever a format pads them."""

made = {}


def drawing(width=W, height=H):
    y, x = np.mgrid[0:height, 0:width]
    rgb = np.stack([255 * x // (width - 1), 255 * y // (height - 1), (x * 37 + y * 11) % 256], -1).astype(np.uint8)
    rgb[2 : height // 2, 3 : width // 3] = (250, 20, 30)
    return rgb


RGB = drawing()
GREY = (RGB.astype(int) @ [299, 587, 114] // 1000).astype(np.uint8)
ALPHA = np.tile(np.linspace(0, 255, W).astype(np.uint8), (H, 1))
EXTRA = np.full((H, W), 77, np.uint8)


def on_white(rgb, alpha):
    blended = Image.fromarray(np.dstack([rgb, alpha]), "RGBA")
    return np.array(Image.alpha_composite(Image.new("RGBA", blended.size, (255, 255, 255)), blended).convert("RGB"))


def as_rgb(grey):
    return np.dstack([grey] * 3)


def save(name, data, drawn=None):
    """`drawn`: the pixels that are right where Pillow has none or is known to be wrong."""
    made[name] = (data, drawn)


def packed(samples, bits):
    """Rows of samples, each padded to a whole byte, the most significant bit first."""
    rows = samples.reshape(samples.shape[0], -1)
    unpacked = ((rows[:, :, None] >> np.arange(bits - 1, -1, -1)) & 1).reshape(rows.shape[0], -1)
    return np.packbits(unpacked.astype(np.uint8), axis=1).tobytes()


# --- TIFF ---------------------------------------------------------------------------------------------------------

def tiff(samples, photometric, bits=8, extra=(), form=1, planar=1, compression=1, tile=None, orientation=1,
         order="<", big=False, more=(), pages=1):
    """samples: [height, width, channels], integers or floats."""
    if samples.ndim == 2:
        samples = samples[:, :, None]
    height, width, channels = samples.shape
    kind = {(1, 16): "u2", (1, 32): "u4", (2, 8): "i1", (2, 16): "i2", (3, 16): "f2", (3, 32): "f4", (3, 64): "f8"}

    def encode(block):
        if (form, bits) in kind:
            data = np.ascontiguousarray(block).astype(order + kind[form, bits]).tobytes()
        else:
            data = packed(block.astype(np.uint8), bits) if bits < 8 else block.astype(np.uint8).tobytes()
        return zlib.compress(data) if compression == 8 else data

    planes = [samples] if planar == 1 else [samples[:, :, c : c + 1] for c in range(channels)]
    chunks = []
    for plane in planes:
        if tile is None:
            chunks += [encode(plane[top : top + 5]) for top in range(0, height, 5)]
        else:
            for top in range(0, height, tile):
                for left in range(0, width, tile):
                    block = np.zeros((tile, tile, plane.shape[2]), plane.dtype)
                    part = plane[top : top + tile, left : left + tile]
                    block[: part.shape[0], : part.shape[1]] = part
                    chunks.append(encode(block))

    short, long = 3, 4
    tags = {256: (long, [width]), 257: (long, [height]), 258: (short, [bits] * channels), 259: (short, [compression]),
            262: (short, [photometric]), 274: (short, [orientation]), 277: (short, [channels]), 284: (short, [planar]),
            339: (short, [form] * channels)}
    if extra:
        tags[338] = (short, list(extra))
    if tile is None:
        tags[278] = (long, [5])
    else:
        tags[322], tags[323] = (long, [tile]), (long, [tile])
    tags.update(more)
    offsets, counts = (273, 279) if tile is None else (324, 325)
    size = {3: 2, 4: 4, 5: 8}
    head = 16 if big else 8
    at = head
    positions = []
    for chunk in chunks:
        positions.append(at)
        at += len(chunk) + len(chunk) % 2
    tags[offsets], tags[counts] = (long, positions), (long, [len(chunk) for chunk in chunks])
    body = b"".join(chunk + b"\0" * (len(chunk) % 2) for chunk in chunks)

    def values(of_type, items):
        if of_type == 5:
            return b"".join(struct.pack(order + "II", *item) for item in items)
        return struct.pack(order + str(len(items)) + {3: "H", 4: "I"}[of_type], *items)

    inline = 8 if big else 4
    directories = []
    first = at
    for page in range(pages):
        entry_bytes = 20 if big else 12
        directory = at
        length = (8 if big else 2) + len(tags) * entry_bytes + inline
        at += length
        tail = b""
        entries = b""
        for tag, (of_type, items) in sorted(tags.items()):
            data = values(of_type, items)
            entries += struct.pack(order + ("HHQ" if big else "HHI"), tag, of_type, len(items))
            if len(data) <= inline:
                entries += data.ljust(inline, b"\0")
            else:
                entries += struct.pack(order + ("Q" if big else "I"), at + len(tail))
                tail += data + b"\0" * (len(data) % 2)
        at += len(tail)
        following = at if page + 1 < pages else 0
        directories.append(struct.pack(order + ("Q" if big else "H"), len(tags)) + entries
                           + struct.pack(order + ("Q" if big else "I"), following) + tail)
    mark = b"II" if order == "<" else b"MM"
    header = mark + (struct.pack(order + "HHHQ", 43, 8, 0, first) if big else struct.pack(order + "HI", 42, first))
    return header + body + b"".join(directories)


def wide(samples):
    """8 bits to 16, with something in the low byte that must not matter."""
    return samples.astype(np.uint16) * 256 + 0x5A


def tiffs():
    rgba = np.dstack([RGB, ALPHA])
    premultiplied = (rgba[:, :, :3].astype(int) * ALPHA[:, :, None] // 255).astype(np.uint8)
    blended = on_white(RGB, ALPHA)
    # Associated alpha: what is seen on white is colour + (1 - alpha) * white.
    associated = np.clip(premultiplied.astype(int) + 255 - ALPHA[:, :, None], 0, 255).astype(np.uint8)
    cmyk = np.array(Image.fromarray(RGB, "RGB").convert("CMYK"))
    cmyk[:, :, 3] = EXTRA // 2
    palette = [(i * 5 % 256) * 257 for i in range(256)] + [(i * 3 % 256) * 257 for i in range(256)] + [(255 - i) * 257 for i in range(256)]
    index = GREY

    save("tiff-grey.tif", tiff(GREY, 1))
    save("tiff-grey-inverted.tif", tiff(255 - GREY, 0))
    for bits in (1, 2, 4):
        levels = GREY >> (8 - bits)
        save(f"tiff-grey-{bits}.tif", tiff(levels, 1, bits))
        save(f"tiff-grey-{bits}-inverted.tif", tiff((1 << bits) - 1 - levels, 0, bits))
    for order, name in (("<", "le"), (">", "be")):
        save(f"tiff-grey-16-{name}.tif", tiff(wide(GREY), 1, 16, order=order), as_rgb(GREY))
        save(f"tiff-rgb-16-{name}.tif", tiff(wide(RGB), 2, 16, order=order), RGB)
        save(f"tiff-big-{name}.tif", tiff(RGB, 2, order=order, big=True), RGB)
        save(f"tiff-rgb-{name}.tif", tiff(RGB, 2, order=order))
    save("tiff-grey-16-inverted.tif", tiff(65535 - wide(GREY), 0, 16), as_rgb(GREY))
    for bits in (1, 2, 4, 8):
        colours = 1 << bits
        table = [palette[part * 256 + i * (256 // colours)] for part in range(3) for i in range(colours)]
        rgb = np.dstack([np.array([table[part * colours + i] >> 8 for i in range(colours)], np.uint8)[index >> (8 - bits)]
                         for part in range(3)])
        save(f"tiff-palette-{bits}.tif", tiff(index >> (8 - bits), 3, bits, more={320: (3, table)}), rgb)
    save("tiff-planar.tif", tiff(RGB, 2, planar=2))
    save("tiff-tiled.tif", tiff(RGB, 2, tile=16))
    save("tiff-deflate.tif", tiff(RGB, 2, compression=8))
    save("tiff-planar-16.tif", tiff(wide(RGB), 2, 16, planar=2), RGB)
    save("tiff-pages.tif", tiff(RGB, 2, pages=3))
    for orientation in range(1, 9):
        upright = RGB if orientation < 5 else RGB.transpose(1, 0, 2)
        upright = upright[:, ::-1] if orientation in (2, 3, 6, 7) else upright
        upright = upright[::-1] if orientation in (3, 4, 7, 8) else upright
        save(f"tiff-orientation-{orientation}.tif", tiff(RGB, 2, orientation=orientation), upright)
    save("tiff-rgba.tif", tiff(rgba, 2, extra=(2,)), blended)
    save("tiff-rgba-planar.tif", tiff(rgba, 2, extra=(2,), planar=2), blended)
    save("tiff-rgba-associated.tif", tiff(np.dstack([premultiplied, ALPHA]), 2, extra=(1,)), associated)
    save("tiff-rgba-16.tif", tiff(wide(rgba), 2, 16, extra=(2,)), blended)
    save("tiff-rgba-16-associated.tif", tiff(wide(np.dstack([premultiplied, ALPHA])), 2, 16, extra=(1,)), associated)
    save("tiff-rgb-extra.tif", tiff(np.dstack([RGB, EXTRA]), 2, extra=(0,)), RGB)
    save("tiff-rgb-extra-16.tif", tiff(wide(np.dstack([RGB, EXTRA])), 2, 16, extra=(0,)), RGB)
    save("tiff-rgb-extra2.tif", tiff(np.dstack([RGB, EXTRA, EXTRA]), 2, extra=(0, 0)), RGB)
    save("tiff-rgb-extra2-planar.tif", tiff(np.dstack([RGB, EXTRA, EXTRA]), 2, extra=(0, 0), planar=2), RGB)
    save("tiff-rgb-extra2-16.tif", tiff(wide(np.dstack([RGB, EXTRA, EXTRA])), 2, 16, extra=(0, 0)), RGB)
    save("tiff-rgb-extra3.tif", tiff(np.dstack([RGB, EXTRA, EXTRA, EXTRA]), 2, extra=(0, 0, 0)), RGB)
    save("tiff-rgba-extra.tif", tiff(np.dstack([rgba, EXTRA]), 2, extra=(2, 0)), blended)
    save("tiff-rgba-associated-extra.tif", tiff(np.dstack([premultiplied, ALPHA, EXTRA]), 2, extra=(1, 0)), associated)
    save("tiff-grey-alpha.tif", tiff(np.dstack([GREY, ALPHA]), 1, extra=(2,)), on_white(as_rgb(GREY), ALPHA))
    save("tiff-grey-alpha-16.tif", tiff(wide(np.dstack([GREY, ALPHA])), 1, 16, extra=(2,)), on_white(as_rgb(GREY), ALPHA))
    save("tiff-grey-extra.tif", tiff(np.dstack([GREY, EXTRA]), 1, extra=(0,)), as_rgb(GREY))
    save("tiff-grey-extra2.tif", tiff(np.dstack([GREY, EXTRA, EXTRA]), 1, extra=(0, 0)), as_rgb(GREY))
    save("tiff-grey-extra2-16.tif", tiff(wide(np.dstack([GREY, EXTRA, EXTRA])), 1, 16, extra=(0, 0)), as_rgb(GREY))
    save("tiff-grey-alpha-extra.tif", tiff(np.dstack([GREY, ALPHA, EXTRA]), 1, extra=(2, 0)), on_white(as_rgb(GREY), ALPHA))
    save("tiff-grey-inverted-extra2.tif", tiff(np.dstack([255 - GREY, EXTRA, EXTRA]), 0, extra=(0, 0)), as_rgb(GREY))
    save("tiff-grey-unsaid-extra.tif", tiff(np.dstack([GREY, ALPHA]), 1), on_white(as_rgb(GREY), ALPHA))
    save("tiff-rgb-unsaid-extra.tif", tiff(rgba, 2))
    cmyk_rgb = np.array(Image.fromarray(cmyk, "CMYK").convert("RGB"))
    save("tiff-cmyk.tif", tiff(cmyk, 5))
    save("tiff-cmyk-planar.tif", tiff(cmyk, 5, planar=2), cmyk_rgb)
    save("tiff-cmyk-16.tif", tiff(wide(cmyk), 5, 16), cmyk_rgb)
    save("tiff-cmyk-16-be.tif", tiff(wide(cmyk), 5, 16, order=">"), cmyk_rgb)
    save("tiff-cmyk-extra.tif", tiff(np.dstack([cmyk, EXTRA]), 5, extra=(0,)), cmyk_rgb)
    save("tiff-cmyk-alpha.tif", tiff(np.dstack([cmyk, ALPHA]), 5, extra=(2,)), on_white(cmyk_rgb, ALPHA))
    save("tiff-cmyk-extra2.tif", tiff(np.dstack([cmyk, EXTRA, EXTRA]), 5, extra=(0, 0)), cmyk_rgb)
    for name, compression in (("lzw", "tiff_lzw"), ("packbits", "packbits"), ("jpeg", "jpeg")):
        data = io.BytesIO()
        Image.fromarray(RGB, "RGB").save(data, "TIFF", compression=compression)
        save(f"tiff-{name}.tif", data.getvalue())
    for name in ("group3", "group4"):
        data = io.BytesIO()
        Image.fromarray(GREY, "L").convert("1").save(data, "TIFF", compression=name)
        save(f"tiff-{name}.tif", data.getvalue())
    ycbcr = np.array(Image.fromarray(RGB, "RGB").convert("YCbCr"))
    full = {530: (3, [1, 1]), 532: (5, [(0, 1), (255, 1), (128, 1), (255, 1), (128, 1), (255, 1)])}
    # What has no right reading here; the name says what the refusal has to speak of.
    refused = {
        "float": tiff(GREY / np.float32(255), 1, 32, form=3), "half": tiff(GREY / np.float32(255), 1, 16, form=3),
        "double": tiff(GREY / np.float32(255), 1, 64, form=3), "float-rgb": tiff(RGB / np.float32(255), 2, 32, form=3),
        "32-bit": tiff(wide(GREY).astype(np.uint32), 1, 32), "32-bit-rgb": tiff(wide(RGB).astype(np.uint32), 2, 32),
        "signed": tiff(GREY.astype(int) - 128, 1, 8, form=2), "signed-16": tiff(GREY.astype(int) - 128, 1, 16, form=2),
        "lab": tiff(RGB, 8), "icclab": tiff(RGB, 9), "itulab": tiff(RGB, 10), "lab-16": tiff(wide(RGB), 8, 16),
        "mask": tiff(GREY >> 7, 4, 1), "cfa": tiff(GREY, 32803), "linear-raw": tiff(RGB, 34892),
        "inks": tiff(np.dstack([RGB, EXTRA]), 5, more={332: (3, [2])}),
        "cmyk-three": tiff(RGB, 5), "rgb-two": tiff(RGB[:, :, :2], 2),
        "rgb-mixed": tiff(RGB, 2, more={258: (3, [8, 8, 16])}), "rgb-4-bit": tiff(RGB >> 4, 2, 4),
        "tiled-planar": tiff(RGB, 2, tile=16, planar=2), "ycbcr": tiff(ycbcr, 6, more=full),
        "palette-16": tiff(wide(GREY), 3, 16, more={320: (3, palette)}),
    }
    for name, data in refused.items():
        save(f"refused-{name}.tif", data)


# --- BMP and ICO --------------------------------------------------------------------------------------------------

def dib(rows, bits, width=W, height=H, compression=0, size=40, palette=b"", colours=0, masks=(), top_down=False,
        doubled=False):
    signed = -height if top_down else height * (2 if doubled else 1)
    if size == 12:
        return struct.pack("<IHHHH", 12, width, height, 1, bits) + palette + rows
    head = struct.pack("<IiiHHIIiiII", size, width, signed, 1, bits, compression, len(rows), 2835, 2835, colours, 0)
    fields = b"".join(struct.pack("<I", mask) for mask in masks)
    if size > 40:
        head += fields.ljust(size - 40, b"\0")
        fields = b""
    return head + fields + palette + rows


def bmp(information, rows):
    offset = 14 + len(information) - len(rows)
    return b"BM" + struct.pack("<IHHI", 14 + len(information), 0, 0, offset) + information


def bmp_rows(pixels, top_down=False):
    """pixels: [height, bytes of a row]."""
    padded = np.pad(pixels, ((0, 0), (0, -pixels.shape[1] % 4)))
    return (padded if top_down else padded[::-1]).tobytes()


def bmps():
    def whole(pixels, *arguments, top_down=False, **keywords):
        rows = bmp_rows(pixels, top_down)
        return bmp(dib(rows, *arguments, top_down=top_down, **keywords), rows)

    bgr = RGB[:, :, ::-1].reshape(H, -1)
    save("bmp-24.bmp", whole(bgr, 24))
    save("bmp-24-top-down.bmp", whole(bgr, 24, top_down=True))
    save("bmp-24-core.bmp", whole(bgr, 24, size=12))
    save("bmp-24-v4.bmp", whole(bgr, 24, size=108))
    save("bmp-24-v5.bmp", whole(bgr, 24, size=124))
    bgrx = np.dstack([RGB[:, :, ::-1], ALPHA]).reshape(H, -1)
    save("bmp-32.bmp", whole(bgrx, 32), RGB)
    common = (0xFF0000, 0xFF00, 0xFF)
    save("bmp-32-fields.bmp", whole(bgrx, 32, compression=3, masks=common), RGB)
    blended = on_white(RGB, ALPHA)
    for size, name in ((56, "v3"), (108, "v4"), (124, "v5")):
        save(f"bmp-32-alpha-{name}.bmp", whole(bgrx, 32, compression=3, size=size, masks=(*common, 0xFF000000)), blended)
    rgba = np.dstack([RGB, ALPHA]).reshape(H, -1)
    save("bmp-32-rgba-order.bmp", whole(rgba, 32, compression=3, size=108, masks=(0xFF, 0xFF00, 0xFF0000, 0xFF000000)), blended)
    r, g, b = (RGB[:, :, c].astype(np.uint16) for c in range(3))
    save("bmp-16.bmp", whole((((r >> 3) << 10) | ((g >> 3) << 5) | (b >> 3)).view(np.uint8).reshape(H, -1), 16))
    fields = ((r >> 3) << 11) | ((g >> 2) << 5) | (b >> 3)
    save("bmp-16-565.bmp", whole(fields.view(np.uint8).reshape(H, -1), 16, compression=3, masks=(0xF800, 0x7E0, 0x1F)))
    for bits in (1, 4, 8):
        colours = 1 << bits
        table = b"".join(bytes([i * 255 // (colours - 1), i * 91 % 256, 255 - i * 255 // (colours - 1), 0]) for i in range(colours))
        index = GREY >> (8 - bits)
        rows = np.frombuffer(packed(index, bits), np.uint8).reshape(H, -1)
        save(f"bmp-{bits}.bmp", whole(rows, bits, palette=table))
        save(f"bmp-{bits}-top-down.bmp", whole(rows, bits, palette=table, top_down=True))
        core = b"".join(table[i : i + 3] for i in range(0, len(table), 4))
        save(f"bmp-{bits}-core.bmp", whole(rows, bits, palette=core, size=12))
    few = b"".join(bytes([i * 20, 255 - i * 20, i * 10, 0]) for i in range(11))
    index = GREY % 11
    save("bmp-8-few-colours.bmp", whole(index, 8, palette=few, colours=11))
    table = b"".join(bytes([i, 255 - i, i * 7 % 256, 0]) for i in range(256))
    runs, literals = b"", b""
    for row in (GREY // 40 * 40)[::-1]:
        at = 0
        while at < W:
            end = at
            while end < W and row[end] == row[at]:
                end += 1
            runs += bytes([end - at, row[at]])
            at = end
        runs += b"\0\0"
        literals += bytes([0, W]) + row.tobytes() + b"\0" * (W % 2) + b"\0\0"
    save("bmp-rle8.bmp", bmp(dib(runs + b"\0\1", 8, compression=1, palette=table), runs + b"\0\1"))
    save("bmp-rle8-literal.bmp", bmp(dib(literals + b"\0\1", 8, compression=1, palette=table), literals + b"\0\1"))
    jumps = b"\4\x64\0\2\3\2\5\x32\0\0\0\1"  # four pixels, a jump by (3, 2), five pixels, the end
    jumped = np.zeros((H, W), np.uint8)
    jumped[H - 1, :4], jumped[H - 3, 7:12] = 0x64, 0x32
    colours8 = np.array([[i * 7 % 256, 255 - i, i] for i in range(256)], np.uint8)
    save("bmp-rle8-jump.bmp", bmp(dib(jumps, 8, compression=1, palette=table), jumps), colours8[jumped])
    sixteen = b"".join(bytes([i * 17, 255 - i * 17, i * 5, 0]) for i in range(16))
    nibbles = b""
    drawn4 = np.zeros((H, W), np.uint8)
    for y in range(H):
        a, b = y % 16, (y * 3 + 1) % 16
        nibbles += bytes([W, a << 4 | b]) + b"\0\0"
        drawn4[H - 1 - y] = [a if x % 2 == 0 else b for x in range(W)]
    colours4 = np.array([[i * 5, 255 - i * 17, i * 17] for i in range(16)], np.uint8)
    save("bmp-rle4.bmp", bmp(dib(nibbles + b"\0\1", 4, compression=2, palette=sixteen), nibbles + b"\0\1"), colours4[drawn4])
    save("refused-jpeg-inside.bmp", bmp(dib(b"\xff\xd8\xff\xe0", 24, compression=4), b"\xff\xd8\xff\xe0"))


def ico(entries):
    head = struct.pack("<HHH", 0, 1, len(entries))
    at = 6 + 16 * len(entries)
    body = b""
    for width, height, bits, data in entries:
        head += struct.pack("<BBBBHHII", width % 256, height % 256, 0, 0, 1, bits, len(data), at + len(body))
        body += data
    return head + body


def icos():
    def png_of(rgb, alpha=None):
        data = io.BytesIO()
        pixels = rgb if alpha is None else np.dstack([rgb, alpha])
        Image.fromarray(pixels, "RGB" if alpha is None else "RGBA").save(data, "PNG")
        return data.getvalue()

    hidden = np.zeros((H, W), np.uint8)
    hidden[:, : W // 2] = 1
    mask = np.pad(np.packbits(hidden, axis=1), ((0, 0), (0, 1)))[::-1].tobytes()
    bgra = np.dstack([RGB[:, :, ::-1], ALPHA]).reshape(H, -1)
    bgr = RGB[:, :, ::-1].reshape(H, -1)
    masked = on_white(RGB, (1 - hidden) * 255)
    small = dib(bmp_rows(bgr[:8, : 8 * 3]) + b"\0" * 32, 24, 8, 8, doubled=True)
    save("ico-png.ico", ico([(W, H, 32, png_of(RGB, ALPHA))]))
    save("ico-png-opaque.ico", ico([(W, H, 24, png_of(RGB))]))
    save("ico-bmp-32.ico", ico([(W, H, 32, dib(bmp_rows(bgra) + mask, 32, doubled=True))]), on_white(RGB, ALPHA))
    save("ico-bmp-24.ico", ico([(W, H, 24, dib(bmp_rows(bgr) + mask, 24, doubled=True))]), masked)
    for bits in (1, 4, 8):
        colours = 1 << bits
        table = b"".join(bytes([i * 255 // (colours - 1), i * 91 % 256, 255 - i * 255 // (colours - 1), 0]) for i in range(colours))
        rows = bmp_rows(np.frombuffer(packed(GREY >> (8 - bits), bits), np.uint8).reshape(H, -1))
        save(f"ico-bmp-{bits}.ico", ico([(W, H, bits, dib(rows + mask, bits, palette=table, doubled=True))]))
    save("ico-largest.ico", ico([(8, 8, 24, small), (W, H, 32, png_of(RGB, ALPHA)), (8, 8, 24, small)]))
    save("ico-deepest.ico", ico([(W, H, 24, dib(bmp_rows(255 - bgr) + mask, 24, doubled=True)),
                                 (W, H, 32, dib(bmp_rows(bgra) + mask, 32, doubled=True))]), on_white(RGB, ALPHA))


# --- PNG ----------------------------------------------------------------------------------------------------------

def png(samples, kind, bits=8, interlaced=False, before=b"", after=b""):
    """kind: PNG's colour type."""
    if samples.ndim == 2:
        samples = samples[:, :, None]
    height, width = samples.shape[:2]

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    def rows(part):
        if bits == 16:
            lines = part.astype(">u2").reshape(part.shape[0], -1).view(np.uint8)
        else:
            lines = np.frombuffer(packed(part, bits), np.uint8).reshape(part.shape[0], -1)
        return b"".join(b"\0" + line.tobytes() for line in lines)

    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    parts = [samples[y::dy, x::dx] for x, y, dx, dy in passes] if interlaced else [samples]
    data = b"".join(rows(part) for part in parts if part.size)
    head = struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 1 if interlaced else 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + before + chunk(b"IDAT", zlib.compress(data)) + after
            + chunk(b"IEND", b"")), chunk


def pngs():
    rgba = np.dstack([RGB, ALPHA])
    grey_alpha = np.dstack([GREY, ALPHA])
    for name, samples, kind in (("grey", GREY, 0), ("rgb", RGB, 2), ("grey-alpha", grey_alpha, 4), ("rgba", rgba, 6)):
        save(f"png-{name}.png", png(samples, kind)[0])
        save(f"png-{name}-interlaced.png", png(samples, kind, interlaced=True)[0])
        drawn = {0: as_rgb(GREY), 2: RGB, 4: on_white(as_rgb(GREY), ALPHA), 6: on_white(RGB, ALPHA)}[kind]
        save(f"png-{name}-16.png", png(wide(samples), kind, 16)[0], drawn)
    for bits in (1, 2, 4):
        save(f"png-grey-{bits}.png", png(GREY >> (8 - bits), 0, bits)[0])
    chunk = png(GREY, 0)[1]
    for bits in (1, 2, 4, 8):
        colours = 1 << bits
        table = b"".join(bytes([i * 255 // (colours - 1), i * 91 % 256, 255 - i * 255 // (colours - 1)]) for i in range(colours))
        seen = chunk(b"tRNS", bytes(i * 255 // (colours - 1) for i in range(colours)))
        save(f"png-palette-{bits}.png", png(GREY >> (8 - bits), 3, bits, before=chunk(b"PLTE", table))[0])
        save(f"png-palette-{bits}-alpha.png", png(GREY >> (8 - bits), 3, bits, before=chunk(b"PLTE", table) + seen)[0])
    save("png-grey-key.png", png(GREY // 16 * 16, 0, before=chunk(b"tRNS", struct.pack(">H", 64)))[0])
    save("png-rgb-key.png", png(RGB, 2, before=chunk(b"tRNS", struct.pack(">HHH", 250, 20, 30)))[0])

    def control(sequence, width, height, x, y):
        return chunk(b"fcTL", struct.pack(">IIIIIHHBB", sequence, width, height, x, y, 1, 10, 0, 0))

    animated = chunk(b"acTL", struct.pack(">II", 2, 0))
    other = zlib.compress(b"".join(b"\0" + line.tobytes() for line in (255 - RGB[:5, :6]).reshape(5, -1)))
    second = control(1, 6, 5, 3, 2) + chunk(b"fdAT", struct.pack(">I", 2) + other)
    save("png-animated.png", png(RGB, 2, before=animated + control(0, W, H, 0, 0), after=second)[0])
    save("png-animated-hidden.png", png(RGB, 2, before=chunk(b"acTL", struct.pack(">II", 1, 0)),
         after=control(0, 6, 5, 3, 2) + chunk(b"fdAT", struct.pack(">I", 1) + other))[0], RGB)


# --- GIF and WebP -------------------------------------------------------------------------------------------------

def gif(frames, screen, palette=None, background=0, version=b"GIF89a"):
    """frames: (x, y, indices, {local, transparent, interlaced, disposal})."""
    def table(colours):
        return b"".join(bytes(colour) for colour in colours).ljust(3 * 16, b"\0")

    data = version + struct.pack("<HHBBB", *screen, 0xB3 if palette else 0x30, background, 0)
    data += table(palette) if palette else b""
    for x, y, indices, more in frames:
        if "transparent" in more or "disposal" in more:
            data += b"!\xf9\4" + struct.pack("<BHB", more.get("disposal", 0) << 2 | ("transparent" in more), 5, more.get("transparent", 0)) + b"\0"
        local = more.get("local")
        flags = (0x83 if local else 0) | (0x40 if more.get("interlaced") else 0)
        height, width = indices.shape
        data += b"," + struct.pack("<HHHHB", x, y, width, height, flags) + (table(local) if local else b"")
        lines = indices
        if more.get("interlaced"):
            lines = np.concatenate([indices[0::8], indices[4::8], indices[2::4], indices[1::2]])
        # LZW without compression: a clear code before the codes grow.
        bits, codes = 5, []
        for at, index in enumerate(lines.flatten()):
            if at % 12 == 0:
                codes.append(16)
            codes.append(int(index))
        codes.append(17)
        stream = sum(code << (bits * i) for i, code in enumerate(codes))
        packed_codes = stream.to_bytes((bits * len(codes) + 7) // 8, "little")
        data += b"\4" + b"".join(bytes([len(packed_codes[i : i + 255])]) + packed_codes[i : i + 255]
                                 for i in range(0, len(packed_codes), 255)) + b"\0"
    return data + b";"


def gifs():
    colours = [(i * 17, 255 - i * 17, i * 37 % 256) for i in range(16)]
    others = [(255 - i * 15, i * 11, 40) for i in range(16)]
    full = GREY >> 4
    part = full[3:10, 4:15]
    save("gif-whole.gif", gif([(0, 0, full, {})], (W, H), colours))
    save("gif-87a.gif", gif([(0, 0, full, {})], (W, H), colours, version=b"GIF87a"))
    save("gif-interlaced.gif", gif([(0, 0, full, {"interlaced": True})], (W, H), colours))
    save("gif-transparent.gif", gif([(0, 0, full, {"transparent": 5})], (W, H), colours))
    save("gif-part.gif", gif([(4, 3, part, {})], (W, H), colours))
    save("gif-part-background.gif", gif([(4, 3, part, {})], (W, H), colours, background=7))
    save("gif-part-transparent.gif", gif([(4, 3, part, {"transparent": 5})], (W, H), colours))
    save("gif-part-local.gif", gif([(4, 3, part, {"local": others})], (W, H), colours))
    save("gif-part-only-local.gif", gif([(4, 3, part, {"local": others})], (W, H)))
    save("gif-beyond.gif", gif([(4, 3, full, {})], (W, H), colours))
    save("gif-no-palette.gif", gif([(0, 0, full, {})], (W, H)))
    second = (2, 2, full[2:9, 2:9][::-1], {"transparent": 3, "disposal": 2})
    save("gif-animated.gif", gif([(0, 0, full, {"disposal": 1}), second], (W, H), colours))
    save("gif-animated-part.gif", gif([(4, 3, part, {"disposal": 2}), second], (W, H), colours))


def webps():
    def encode(rgb, **keywords):
        data = io.BytesIO()
        Image.fromarray(rgb, "RGBA" if rgb.shape[2] == 4 else "RGB").save(data, "WEBP", **keywords)
        return data.getvalue()

    def chunk(name, data):
        return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)

    def animation(frames, width, height, background=b"\xff\x10\x80\x40", alpha=True):
        def three(value):
            return struct.pack("<I", value)[:3]

        body = chunk(b"VP8X", struct.pack("<I", 2 | (16 if alpha else 0)) + three(width - 1) + three(height - 1))
        body += chunk(b"ANIM", background + b"\0\0")
        for x, y, pixels, encoded in frames:
            at = encoded.find(b"VP8L")
            length = struct.unpack("<I", encoded[at + 4 : at + 8])[0]
            part = encoded[at : at + 8 + length + length % 2]
            body += chunk(b"ANMF", three(x // 2) + three(y // 2) + three(pixels.shape[1] - 1) + three(pixels.shape[0] - 1)
                          + three(100) + b"\2" + part)
        return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body

    rgba = np.dstack([RGB, ALPHA])
    save("webp-lossless-alpha.webp", encode(rgba, lossless=True, exact=True), on_white(RGB, ALPHA))
    save("webp-lossy.webp", encode(RGB, quality=80))
    save("webp-lossy-alpha.webp", encode(rgba, quality=80))
    whole = (0, 0, RGB, encode(RGB, lossless=True))
    part = RGB[2:10, 4:14]
    piece = (4, 2, part, encode(part, lossless=True))
    save("webp-animated.webp", animation([whole, piece], W, H, alpha=False))
    save("webp-animated-part.webp", animation([piece, whole], W, H))
    save("webp-animated-part-opaque.webp", animation([piece, whole], W, H, alpha=False))


# --- What Pillow sees ---------------------------------------------------------------------------------------------

def seen(data):
    image = Image.open(io.BytesIO(data))
    rgba = ImageOps.exif_transpose(image).convert("RGBA")
    white = Image.new("RGBA", rgba.size, (255, 255, 255))
    return np.array(Image.alpha_composite(white, rgba).convert("RGB"))


def main():
    for make in (tiffs, bmps, icos, pngs, gifs, webps):
        make()
    images = OUT / "images"
    images.mkdir(parents=True, exist_ok=True)
    blob, listed = bytearray(), []
    for name, (data, drawn) in sorted(made.items()):
        (images / name).write_bytes(data)
        if name.startswith("refused-"):
            continue
        try:
            reference = seen(data)
        except Exception as error:  # whatever Pillow says about a kind that it does not know
            if drawn is None:
                sys.exit(f"{name}: {error!r}, and what is right was not drawn")
            reference = None
        if drawn is not None and reference is not None:
            far = np.abs(reference.astype(int) - drawn.astype(int)).max() if reference.shape == drawn.shape else 999
            if far > 2:
                print(f"{name}: Pillow is {far} levels from what was drawn, which is kept")
                reference = None
        by = "drawing" if reference is None else "Pillow"
        pixels = drawn if reference is None else reference
        listed.append({"image": name, "width": pixels.shape[1], "height": pixels.shape[0], "offset": len(blob), "by": by})
        blob += np.ascontiguousarray(pixels, dtype=np.uint8).tobytes()
    found = {"madeWith": {"Pillow": PIL.__version__, "numpy": np.__version__}, "pictures": listed}
    (OUT / "pictures.json").write_text(json.dumps(found, separators=(",", ":")))
    with gzip.GzipFile(OUT / "pictures.bin.gz", "wb", 9, mtime=0) as file:
        file.write(bytes(blob))
    print(len(listed), "pictures,", len(blob), "bytes of pixels")


main()
