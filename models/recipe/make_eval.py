"""Draws the held-out test sets and packs them: pictures of their own seeds, in fonts and words that training never saw.

    python3 make_eval.py --fonts fonts --words words.txt --out ../eval

`images.bin` holds WebP files one after another, `images.json.gz` how long each is; `<skill>.json.gz` holds the items. An
item is a conversation about no, one or two pictures and is right when every answer of it is, word for word. `npm run eval`
lays the items out in several ways.
"""

import argparse
import gzip
import io
import json
from pathlib import Path
from random import Random

from PIL import Image

from data.chart_pictures import draw_chart
from data.charts import Chart, chart_question, chart_refusal
from data.common import REFUSAL, Row, Turn, plain
from data.compare import _question, _second_scene, _words_row
from data.document_talk import document_questions, some_json, whole_json
from data.documents import badge, form, label, make_document, receipt, table
from data.json_talk import HELD_OUT, as_json
from data.mixture import load_texts
from data.noise import with_noise
from data.photos import photo_row
from data.reading import draw_words, random_word, read_turn
from data.scenes import description, draw_scene, follow_ups, make_scene, out_of_scope, question, refusal
from data.smalltalk import without_picture
from data.wordings import reworded

SEED = 20_261_123


def _write(path: Path, text: str) -> None:
    """The same bytes for the same text: without the time."""
    path.write_bytes(gzip.compress(text.encode(), 9, mtime=0))


class Pack:
    def __init__(self):
        self.files: list[bytes] = []
        self.skills: dict[str, list] = {}

    def add(self, image: Image.Image, lossy: bool = True, colors: int | None = None) -> int:
        """
        Kept as a photograph is, since gradients and noise take room; charts and documents, which are flat, without loss,
        the latter in few colours.
        """
        buffer = io.BytesIO()
        if colors is not None:
            image = image.quantize(colors, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).convert("RGB")
        options = dict(quality=45, method=4) if lossy else dict(lossless=True, quality=80, method=4)
        image.save(buffer, "WEBP", **options)
        self.files.append(buffer.getvalue())
        return len(self.files) - 1

    def item(self, skill: str, images: list[int], turns: list[Turn], system: str | None = None) -> None:
        said = [{"question": plain(t.question), "expected": plain(t.answer)} for t in turns]
        own = {} if system is None else {"system": system}
        self.skills.setdefault(skill, []).append({"images": images, **own, "turns": said})

    def write(self, out: Path) -> None:
        out.mkdir(parents=True, exist_ok=True)
        (out / "images.bin").write_bytes(b"".join(self.files))
        _write(out / "images.json.gz", json.dumps([len(f) for f in self.files]))
        for skill, items in self.skills.items():
            lines = ",\n".join(json.dumps(item, separators=(",", ":")) for item in items)
            _write(out / f"{skill}.json.gz", f"[\n{lines}\n]\n")
            print(f"{skill:12} {len(items)} items")
        print(f"{len(self.files)} pictures, {sum(map(len, self.files)) / 1e6:.2f} MB")


def build(fonts: Path, words: Path, count: int, seed: int = SEED) -> Pack:
    texts = load_texts(fonts, words, test=True)
    pack = Pack()
    rng = Random(seed)
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
    asked_of_charts = []
    for kind in ("bar", "line", "pie"):
        skill = "chart" if kind == "bar" else "line-pie"
        for i in range(count // (2 if kind == "bar" else 4)):
            chart = Chart(rng, kind=kind)
            image = pack.add(draw_chart(rng, chart, texts), lossy=False)
            for _ in range(2):
                turn = chart_question(rng, chart)
                pack.item(skill, [image], [turn])
                asked_of_charts.append((image, turn))
            if kind == "bar" and i < 2 * count // 10:
                pack.item("refusal", [image], [chart_refusal(rng, chart)])
    for i in range(count):
        document = make_document(rng, texts, receipt)
        image = pack.add(document.image, lossy=False, colors=8)
        asked = [Turn(*q) for q in document_questions(document)]
        total = next(t for t in asked if t.skill == "document-total")
        pack.item("receipt", [image], [rng.choice([t for t in asked if t is not total])])
        pack.item("receipt-total", [image], [total])
        pack.item("receipt-json", [image], [whole_json(document)])
    for i in range(count // 2):
        document = make_document(rng, texts, (label, badge, form, table)[i % 4])
        image = pack.add(document.image, lossy=False, colors=8)
        pack.item("document", [image], [Turn(*rng.choice(document_questions(document)))])
        pack.item("document", [image], [some_json(rng, document)])
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
    for _ in range(count):
        pack.item("no-picture", [], [without_picture(rng, texts)])
    _wordings(rng, pack, count)
    _json_asked(Random(seed), pack, 4 * count // 10)
    return pack


def _wordings(rng: Random, pack: Pack, count: int) -> None:
    """Questions from above in other wordings: ones that training has, and ones that it never had."""
    from_skills = ("description", "scene", "reading", "chart", "compare", "receipt-total")
    items = [item for skill in from_skills for item in pack.skills[skill]]
    rng.shuffle(items)
    for item in items:
        asked = item["turns"][0]
        known, unseen = (reworded(rng, asked["question"], kept) for kept in (False, True))
        if known is None or unseen is None or len(pack.skills.get("unseen-wording", [])) == count:
            continue
        for skill, question in (("known-wording", known), ("unseen-wording", unseen)):
            pack.item(skill, item["images"], [Turn(question, asked["expected"], skill)])


def _json_asked(rng: Random, pack: Pack, count: int) -> None:
    """
    Questions from above about one picture, behind a system message that asks for JSON; those apart that ask for it
    themselves.
    """
    from_skills = ("description", "scene", "reading", "chart", "line-pie", "refusal", "receipt", "receipt-total", "document")
    items = [item for skill in from_skills for item in pack.skills[skill]]
    items = [item for item in items if not item["turns"][0]["expected"].startswith("{")]
    for item in rng.sample(items, min(count, len(items))):
        asked = item["turns"][0]
        turn = as_json(Turn(asked["question"], asked["expected"], "json-asked"))
        pack.item("json-asked", item["images"], [turn], rng.choice(HELD_OUT))


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
