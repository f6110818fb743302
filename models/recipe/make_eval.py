"""Draws the held-out test sets and packs them: pictures of their own seeds, in fonts and words that training never saw.

    python3 make_eval.py --fonts fonts --words words.txt --out ../eval

`images.bin` holds WebP files one after another, `images.json` where each begins; `<skill>.json` holds the items. An
item is a conversation about one or two pictures and is right when every answer of it is, word for word.
"""

import argparse
import io
import json
from pathlib import Path
from random import Random

from PIL import Image

from data.charts import Chart, chart_question, chart_refusal, draw_chart
from data.common import REFUSAL, Row, Turn, plain
from data.compare import _question, _second_scene, _words_row
from data.mixture import load_texts
from data.noise import with_noise
from data.photos import photo_row
from data.reading import draw_words, random_word, read_turn
from data.scenes import description, draw_scene, follow_ups, make_scene, out_of_scope, question, refusal

SEED = 20_261_123


class Pack:
    def __init__(self):
        self.files: list[bytes] = []
        self.skills: dict[str, list] = {}

    def add(self, image: Image.Image, lossy: bool = True) -> int:
        """Kept as a photograph is, since gradients and noise take room; charts, which are flat, without loss."""
        buffer = io.BytesIO()
        options = dict(quality=45, method=4) if lossy else dict(lossless=True, quality=80, method=4)
        image.save(buffer, "WEBP", **options)
        self.files.append(buffer.getvalue())
        return len(self.files) - 1

    def item(self, skill: str, images: list[int], turns: list[Turn]) -> None:
        said = [{"question": plain(t.question), "expected": plain(t.answer)} for t in turns]
        self.skills.setdefault(skill, []).append({"images": images, "turns": said})

    def write(self, out: Path) -> None:
        out.mkdir(parents=True, exist_ok=True)
        (out / "images.bin").write_bytes(b"".join(self.files))
        (out / "images.json").write_text(json.dumps([len(f) for f in self.files]))
        for skill, items in self.skills.items():
            lines = ",\n".join(json.dumps(item, separators=(",", ":")) for item in items)
            (out / f"{skill}.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")
            print(f"{skill:12} {len(items)} items")
        print(f"{len(self.files)} pictures, {sum(map(len, self.files)) / 1e6:.2f} MB")


def build(fonts: Path, words: Path, count: int) -> Pack:
    texts = load_texts(fonts, words, test=True)
    pack = Pack()
    rng = Random(SEED)
    few = []
    for i in range(count):
        scene = make_scene(rng, 1 + i % 6)
        image = pack.add(draw_scene(rng, scene))
        few.append((scene, image))
        pack.item("description", [image], [description(rng, scene)])
        pack.item("scene", [image], [question(rng, scene)])
        pack.item("turns", [image], follow_ups(rng, scene) + [question(rng, scene)])
        if i < 4 * count // 10:
            pack.item("refusal", [image], [refusal(rng, scene)])
    few = [(scene, image) for scene, image in few if len(scene.things) <= 4]
    for i in range(count):
        words_ = [random_word(rng, texts) for _ in range(1 + i % 3)]
        row = with_noise(Row([draw_words(rng, texts, words_)], noise=rng.choice([0, 0, 5, 10, 15, 20])), rng)
        image = pack.add(row.images[0])
        pack.item("reading", [image], [read_turn(rng, words_)])
        if i < 2 * count // 10:
            asked = out_of_scope(rng, text=False, chart=True, shapes=True)
            pack.item("refusal", [image], [Turn(asked, REFUSAL, "refusal")])
    for i in range(count // 2):
        chart = Chart(rng)
        image = pack.add(draw_chart(rng, chart, texts), lossy=False)
        for _ in range(2):
            pack.item("chart", [image], [chart_question(rng, chart)])
        if i < 2 * count // 10:
            pack.item("refusal", [image], [chart_refusal(rng, chart)])
    for _ in range(2 * count // 10):
        row = photo_row(rng)
        pack.item("refusal", [pack.add(row.images[0])], row.turns[:1])
    # Pairs: one picture of a pair is a scene from above, the other is new.
    for i in range(count):
        if i % 10 == 0:
            row = _words_row(rng, texts)
            pack.item("compare", [pack.add(image) for image in row.images], row.turns)
        else:
            first, image = few[i % len(few)]
            second = _second_scene(rng, first)
            images = [image, pack.add(draw_scene(rng, second))]
            pack.item("compare", images, [Turn(*_question(rng, first, second), "compare")])
    return pack


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fonts", type=Path, required=True)
    parser.add_argument("--words", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--items", type=int, default=1000, help="of each skill")
    args = parser.parse_args()
    build(args.fonts, args.words, args.items).write(args.out)


if __name__ == "__main__":
    main()
