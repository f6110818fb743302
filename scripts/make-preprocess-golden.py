"""Golden data for the processor's tests, made by the reference implementation.

Draws small test images, runs transformers' Idefics3ImageProcessorPil and Idefics3Processor on them with small
configurations, and writes to the folder named on the command line:

  images/*          the encoded inputs
  preprocess.json   what was made of them: rows, cols, SHA-256 of pixels, prompts, token ids
  preprocess.bin.gz the decoded RGB pixels of the lossy images (decoders may differ there), back to back

Needs transformers >= 5, Pillow, numpy and torch:
  python3 scripts/make-preprocess-golden.py test/fixtures/preprocess
"""

import copy
import gzip
import hashlib
import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import PIL
import transformers
from PIL import Image, ImageDraw, ImageOps
from transformers import Idefics3Processor
from transformers.models.idefics3.image_processing_pil_idefics3 import Idefics3ImageProcessorPil

ROOT = Path(__file__).resolve().parent.parent
OUT = Path(sys.argv[1])
MODEL = ROOT / "models" / "default"

CONFIGS = {
    "split-128-32": dict(size={"longest_edge": 128}, max_image_size={"longest_edge": 32}, do_image_splitting=True),
    "whole-80": dict(size={"longest_edge": 80}, max_image_size={"longest_edge": 80}, do_image_splitting=False),
    "bicubic-100-40": dict(
        size={"longest_edge": 100}, max_image_size={"longest_edge": 40}, do_image_splitting=True, resample=3,
        image_mean=[0.48145466, 0.4578275, 0.40821073], image_std=[0.26862954, 0.26130258, 0.27577711],
    ),
    "bilinear-whole-48": dict(
        size={"longest_edge": 60}, max_image_size={"longest_edge": 48}, do_image_splitting=False, resample=2,
    ),
    "nearest-whole-48": dict(
        size={"longest_edge": 60}, max_image_size={"longest_edge": 48}, do_image_splitting=False, resample=0,
    ),
}


def drawing(width, height, noise=0):
    """A gradient with hard-edged shapes on it, so that ringing, clipping and orientation all show."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    rgb = np.stack([255 * x / max(1, width - 1), 255 * y / max(1, height - 1), 127 + 120 * np.sin((x + 2 * y) / 7)], -1)
    if noise:
        rgb += np.random.default_rng(7).normal(0, noise, rgb.shape)
    image = Image.fromarray(np.clip(rgb, 0, 255).astype(np.uint8), "RGB")
    draw = ImageDraw.Draw(image)
    draw.ellipse([width * 0.1, height * 0.1, width * 0.45, height * 0.6], fill=(250, 20, 30))
    draw.rectangle([width * 0.55, height * 0.5, width * 0.9, height * 0.92], fill=(0, 0, 0))
    draw.line([0, height - 1, width - 1, 0], fill=(255, 255, 255), width=2)
    return image


def alpha_ramp(width, height):
    ramp = np.linspace(0, 255, width).astype(np.uint8)
    return Image.fromarray(np.tile(ramp, (height, 1)), "L")


def save_images(folder):
    folder.mkdir(parents=True, exist_ok=True)
    drawing(201, 133).save(folder / "landscape.png", optimize=True)
    drawing(97, 240).save(folder / "portrait.png", optimize=True)
    drawing(83, 61, noise=40).save(folder / "noise.png", optimize=True)
    drawing(128, 128).save(folder / "exact-128.png", optimize=True)
    drawing(20, 14).save(folder / "small.png", optimize=True)
    drawing(400, 9).save(folder / "wide.png", optimize=True)
    drawing(3, 300).save(folder / "tall.png", optimize=True)
    drawing(1, 1).save(folder / "one-pixel.png", optimize=True)
    rgba = drawing(120, 90).convert("RGBA")
    rgba.putalpha(alpha_ramp(120, 90))
    rgba.save(folder / "alpha.png", optimize=True)
    grey = drawing(64, 110).convert("L")
    grey.save(folder / "grey.png", optimize=True)
    grey_alpha = Image.merge("LA", [grey, alpha_ramp(64, 110)])
    grey_alpha.save(folder / "grey-alpha.png", optimize=True)
    drawing(110, 95).quantize(31).save(folder / "palette.png", optimize=True)
    drawing(70, 50).quantize(15).save(folder / "palette-transparent.png", transparency=3, optimize=True)
    drawing(60, 40).convert("1").save(folder / "bilevel.png", optimize=True)
    drawing(90, 75).quantize(63).save(folder / "indexed.gif")
    drawing(140, 101).save(folder / "lossless.webp", lossless=True)
    drawing(150, 111).save(folder / "baseline.jpg", quality=90)
    drawing(151, 112).save(folder / "progressive.jpg", quality=75, progressive=True)
    drawing(99, 75).convert("L").save(folder / "grey.jpg", quality=85)
    drawing(88, 66).convert("CMYK").save(folder / "cmyk.jpg", quality=92)
    for orientation in (3, 5, 6):
        exif = Image.Exif()
        exif[0x0112] = orientation
        drawing(101, 66).save(folder / f"exif-{orientation}.jpg", quality=95, subsampling=0, exif=exif)


def decode(path):
    """To RGB as the processor does it: upright, transparency on white."""
    rgba = ImageOps.exif_transpose(Image.open(path)).convert("RGBA")
    white = Image.new("RGBA", rgba.size, (255, 255, 255))
    return Image.alpha_composite(white, rgba).convert("RGB")


def digest(array):
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


def with_row_tokens(source):
    """The tokenizer as larger models have it: `<row_r_col_c>` are added tokens."""
    tokenizer = json.loads((source / "tokenizer.json").read_text())
    next_id = max(tokenizer["model"]["vocab"].values()) + 1
    for row in range(1, 5):
        for col in range(1, 5):
            token = copy.deepcopy(tokenizer["added_tokens"][0])
            token.update(id=next_id, content=f"<row_{row}_col_{col}>")
            tokenizer["added_tokens"].append(token)
            next_id += 1
    folder = Path(tempfile.mkdtemp())
    for file in source.glob("*.json"):
        (folder / file.name).write_text(file.read_text())
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    return folder


CONVERSATIONS = [
    {"images": ["landscape.png"], "messages": [["user", ["<image>", "What is in this image?"]]]},
    {"images": ["tall.png"], "messages": [["user", ["Look:", "<image>", " \n\nWhere is the cross?"]]]},
    {"images": ["small.png", "portrait.png"], "messages": [
        ["system", "Answer shortly."],
        ["user", ["<image>", "<image>", "Compare these, a<b and c>d; naïve 東京 🎭\t!"]],
        ["assistant", "Both are blue."],
        ["user", "  Are you sure?  "],
    ]},
    {"images": [], "messages": [["user", "What color is the circle?"]]},
]


def prompts(processor, image_folder, config_names):
    made = []
    for name in config_names:
        processor.image_processor = Idefics3ImageProcessorPil(**CONFIGS[name])
        for conversation in CONVERSATIONS:
            messages = [
                {"role": role, "content": content if isinstance(content, str) else [
                    {"type": "image"} if part == "<image>" else {"type": "text", "text": part} for part in content
                ]}
                for role, content in conversation["messages"]
            ]
            rendered = processor.tokenizer.apply_chat_template(
                messages, chat_template=processor.chat_template or processor.tokenizer.chat_template,
                tokenize=False, add_generation_prompt=True,
            )
            images = [[decode(image_folder / file) for file in conversation["images"]]]
            keywords = {"images": images} if images[0] else {}
            ids = processor(text=[rendered], **keywords)["input_ids"][0]
            made.append({"config": name, "images": conversation["images"], "messages": messages,
                         "rendered": rendered, "ids": [int(i) for i in ids]})
    return made


def main():
    images = OUT / "images"
    save_images(images)
    blob = bytearray()
    decoded, cases = [], []
    for path in sorted(images.iterdir()):
        rgb = np.array(decode(path))
        lossy = path.suffix == ".jpg"
        decoded.append({"image": path.name, "width": rgb.shape[1], "height": rgb.shape[0],
                        "offset": len(blob) if lossy else None, "sha256": digest(rgb)})
        if lossy:
            blob += rgb.tobytes()
    for name, config in CONFIGS.items():
        processor = Idefics3ImageProcessorPil(**config)
        for path in sorted(images.iterdir()):
            result = processor(images=[[decode(path)]], return_row_col_info=True, return_tensors="np")
            pixels = np.asarray(result["pixel_values"][0], dtype=np.float32)
            mask = np.asarray(result["pixel_attention_mask"])
            assert mask.all(), f"{name} {path.name}: a tile is padded"
            cases.append({"config": name, "image": path.name, "rows": int(result["rows"][0][0]),
                          "cols": int(result["cols"][0][0]), "shape": list(pixels.shape),
                          "float32Sha256": digest(pixels)})

    plain = Idefics3Processor.from_pretrained(MODEL)
    rows = Idefics3Processor.from_pretrained(with_row_tokens(MODEL))
    names = ["split-128-32", "whole-80"]
    golden = {
        "madeWith": {"transformers": transformers.__version__, "Pillow": PIL.__version__, "numpy": np.__version__},
        "configs": {name: json.loads(Idefics3ImageProcessorPil(**config).to_json_string())
                    for name, config in CONFIGS.items()},
        "decoded": decoded,
        "cases": cases,
        "prompts": {"plain": prompts(plain, images, names), "rowTokens": prompts(rows, images, names)},
    }
    (OUT / "preprocess.json").write_text(json.dumps(golden, ensure_ascii=False, separators=(",", ":")))
    with gzip.GzipFile(OUT / "preprocess.bin.gz", "wb", 9, mtime=0) as file:
        file.write(bytes(blob))
    print(len(blob), "bytes of pixels,", len(cases), "cases")


main()
