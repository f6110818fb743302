"""Receipts, price labels, name badges, small tables and forms, drawn at their natural size."""

import string
from dataclasses import dataclass
from random import Random

from PIL import Image, ImageDraw

from .common import SIDE, jitter
from .reading import Texts, font_of

GOODS = (
    "Tea Milk Oats Eggs Rice Corn Figs Plum Pear Kiwi Lime Nuts Fish Cake Jam Soup Bread Butter Apple Coffee Juice Water "
    "Salt Sugar Soap Cheese Beans Honey Pasta Pizza Lemon Melon Onion Peas Salad Toast Bagel Candy Flour Grapes Pen Book"
).split()
PAIRED = ["Green Tea", "Oat Milk", "Rye Bread", "Ice Tea", "Hot Dog", "Red Wine", "Corn Soup", "Fig Jam", "Lime Juice"]
SHOPS = (
    "Deli Market Bakery Corner Fresh Grocer Kiosk Metro Sunny Happy Daily Green Star Village City Lotus Royal Prime Depot Nova"
).split()
FIRST = "Ann Bob Eve Max Tom Kim Lee Zoe Ben Amy Ida Leo Mia Sam Eli Ava Jon Kai Lea Nina Paul Rosa Emma Hugo Iris Otto".split()
LAST = "Smith Jones Brown Hall King Wood Cole Reed Fox Lane Moss Price West Young Stone Park Diaz Cruz Berg Novak".split()
ROLES = "Guest Visitor Engineer Teacher Nurse Driver Student Artist Pilot Doctor Chef Editor Speaker Staff Manager".split()
CITIES = "Oslo Rome Bern Lima Paris Berlin Tokyo Cairo Delhi Dublin Madrid Milan Prague Vienna Boston Austin".split()
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


@dataclass
class Document:
    kind: str
    # What a question or a request for JSON may name, in the order of the paper.
    fields: dict[str, object]
    image: Image.Image


def cents(amount: int) -> str:
    return f"{amount // 100}.{amount % 100:02}"


def number(amount: int) -> float | int:
    return amount // 100 if amount % 100 == 0 else amount / 100


def invented(rng: Random, texts: Texts, longest: int) -> str:
    if rng.random() < 0.3:
        return "".join(rng.choices(string.ascii_lowercase, k=rng.randint(3, longest))).capitalize()
    while True:
        word = rng.choice(texts.words)
        if 3 <= len(word) <= longest:
            return word.capitalize()


class Paper:
    """A page that rows of text are set on; the page is as large as they need."""

    def __init__(self, rng: Random, texts: Texts):
        self.rng = rng
        self.size = rng.randint(18, 26)
        self.path = rng.choice(texts.fonts)
        self.font = font_of(self.path, self.size)
        self.leading = rng.uniform(1.25, 1.6)
        self.rows: list[tuple] = []
        dark = rng.random() < 0.08
        base = rng.choice([(250, 250, 250), (255, 252, 240), (240, 244, 250), (236, 236, 232), (250, 240, 200)])
        self.paper = jitter(rng, (34, 36, 40) if dark else base, 6)
        self.ink = jitter(rng, (232, 232, 232) if dark else rng.choice([(20, 20, 20), (20, 24, 70), (60, 30, 30)]), 16)

    def row(self, *cells: str, align: str = "spread", scale: float = 1.0, rule: bool = False) -> None:
        self.rows.append((cells, align, scale, rule))

    def draw(self, columns: list[float] | None = None) -> Image.Image:
        rng, size = self.rng, self.size
        gap = size * rng.uniform(0.8, 1.6)
        margin = rng.randint(8, 20)
        fonts = {scale: font_of(self.path, max(10, round(size * scale))) for _, _, scale, _ in self.rows}
        widths = [
            sum(fonts[scale].getlength(c) for c in cells) + gap * (len(cells) - 1) for cells, _, scale, _ in self.rows
        ]
        if columns is None:
            width = max(widths)
        else:
            count = max(len(cells) for cells, *_ in self.rows)
            each = [
                max((fonts[s].getlength(cells[i]) for cells, _, s, _ in self.rows if len(cells) == count), default=0)
                for i in range(count)
            ]
            starts = [sum(each[:i]) + gap * i for i in range(count)]
            width = max(starts[-1] + each[-1], max(widths))
        heights = [size * scale * self.leading + (size * 0.4 if rule else 0) for _, _, scale, rule in self.rows]
        full = (int(width + 2 * margin), int(sum(heights) + 2 * margin))
        if full[1] * 2 < full[0]:
            full = (full[0], full[0] // 2)
        if full[0] * 2 < full[1]:
            full = (full[1] // 2, full[1])
        image = Image.new("RGB", full, self.paper)
        draw = ImageDraw.Draw(image)
        y = (full[1] - sum(heights)) / 2
        left, right = margin, full[0] - margin
        line = tuple((p + i) // 2 for p, i in zip(self.paper, self.ink))
        for (cells, align, scale, rule), height in zip(self.rows, heights):
            font = fonts[scale]
            if rule:
                draw.line([left, y + size * 0.2, right, y + size * 0.2], fill=line, width=rng.choice([1, 1, 2]))
                y += size * 0.4
            top = y + (height - (size * 0.4 if rule else 0)) / 2
            if columns is not None and len(cells) > 1:
                for start, cell in zip(starts, cells):
                    draw.text((left + start, top), cell, font=font, fill=self.ink, anchor="lm")
            elif len(cells) == 1:
                x, anchor = {"center": (full[0] / 2, "mm"), "left": (left, "lm"), "spread": (left, "lm"), "right": (right, "rm")}[align]
                draw.text((x, top), cells[0], font=font, fill=self.ink, anchor=anchor)
            else:
                draw.text((left, top), cells[0], font=font, fill=self.ink, anchor="lm")
                draw.text((right, top), cells[1], font=font, fill=self.ink, anchor="rm")
            y += height - (size * 0.4 if rule else 0)
        if rng.random() < 0.25:
            draw.rectangle([2, 2, full[0] - 3, full[1] - 3], outline=line, width=rng.choice([1, 2, 3]))
        return image


def receipt(rng: Random, texts: Texts) -> Document:
    paper = Paper(rng, texts)
    count = rng.choices([1, 2, 3, 4], [1, 4, 5, 4])[0]
    names: list[str] = []
    while len(names) < count:
        kind = rng.random()
        name = rng.choice(GOODS) if kind < 0.7 else rng.choice(PAIRED) if kind < 0.76 else invented(rng, texts, 7)
        if name not in names:
            names.append(name)
    most = rng.choice([500, 999, 1999, 3000])
    prices = [rng.choice([rng.randint(20, most), rng.randrange(50, most, 10), rng.randrange(100, most, 50)]) for _ in names]
    shop = rng.choice(SHOPS) if rng.random() < 0.75 else invented(rng, texts, 8)
    total = sum(prices)
    sign = rng.choice(["", "", "", "", "$"])
    caps = rng.random() < 0.12
    paper.row(shop.upper() if caps else shop, align=rng.choice(["center", "center", "left"]), scale=rng.choice([1.0, 1.2, 1.4]))
    if rng.random() < 0.15:
        paper.row(rng.choice(["Receipt", "Thank you", "Bill"]), align="center")
    ruled = rng.random() < 0.4
    for i, (name, price) in enumerate(zip(names, prices)):
        paper.row(name, sign + cents(price), rule=ruled and i == 0)
    word = rng.choice(["Total", "Total", "Total", "TOTAL", "Sum", "Total:"])
    if rng.random() < 0.08:
        paper.row(rng.choice(["Tax", "VAT"]), sign + cents(total // 10))
    paper.row(word, sign + cents(total), rule=ruled or rng.random() < 0.3, scale=rng.choice([1.0, 1.0, 1.15]))
    if rng.random() < 0.08:
        paper.row("Thank you!", align="center", scale=0.9)
    items = [{"name": name, "price": number(price)} for name, price in zip(names, prices)]
    fields = {"shop": shop.upper() if caps else shop, "items": items, "total": number(total)}
    return Document("receipt", fields, paper.draw())


def label(rng: Random, texts: Texts) -> Document:
    paper = Paper(rng, texts)
    name = rng.choice([*GOODS, *PAIRED]) if rng.random() < 0.6 else invented(rng, texts, 8)
    price = rng.choice([rng.randint(5, 9999), rng.randint(10, 999), rng.randrange(100, 2000, 5)])
    sign = rng.choice(["", "", "$"])
    paper.row(name, align=rng.choice(["center", "left"]), scale=rng.uniform(0.9, 1.3))
    paper.row(sign + cents(price), align=rng.choice(["center", "right", "left"]), scale=rng.uniform(1.3, 2.2))
    return Document("price label", {"name": name, "price": number(price)}, paper.draw())


def badge(rng: Random, texts: Texts) -> Document:
    paper = Paper(rng, texts)
    first = rng.choice(FIRST) if rng.random() < 0.75 else invented(rng, texts, 6)
    name = f"{first} {rng.choice(LAST)}" if rng.random() < 0.6 else first
    role = rng.choice(ROLES)
    if rng.random() < 0.3:
        paper.row(rng.choice(["Hello", "My name is", "Welcome"]), align="center", scale=0.9)
    paper.row(name, align="center", scale=rng.uniform(1.1, 1.6))
    paper.row(role, align="center", scale=rng.uniform(0.85, 1.1), rule=rng.random() < 0.2)
    return Document("name badge", {"name": name, "role": role}, paper.draw())


def form(rng: Random, texts: Texts) -> Document:
    paper = Paper(rng, texts)
    values = {
        "name": rng.choice(FIRST) if rng.random() < 0.7 else invented(rng, texts, 6),
        "city": rng.choice(CITIES),
        "date": f"{rng.randint(1, 28)} {rng.choice(MONTHS)}",
        "phone": str(rng.randint(1000, 99999)),
        "age": rng.randint(5, 99),
    }
    keys = rng.sample(list(values), rng.randint(2, 4))
    colon = rng.choice([":", ":", ""])
    if rng.random() < 0.3:
        paper.row(rng.choice(["Form", "Entry", "Ticket", "Member"]), align="center", scale=1.2)
    columns = [0.0] if rng.random() < 0.5 else None
    for key in keys:
        paper.row(key.capitalize() + colon, str(values[key]))
    return Document("form", {key: values[key] for key in keys}, paper.draw(columns))


def table(rng: Random, texts: Texts) -> Document:
    paper = Paper(rng, texts)
    count = rng.randint(2, 4)
    kind = rng.choice(["age", "city", "price"])
    source = GOODS if kind == "price" else FIRST
    names = rng.sample(source, count)
    head = rng.random() < 0.8
    rows = []
    if head:
        paper.row("Name", kind.capitalize())
    for i, name in enumerate(names):
        value: object
        if kind == "age":
            value = shown = rng.randint(5, 99)
        elif kind == "city":
            value = shown = rng.choice(CITIES)
        else:
            amount = rng.randint(20, 1999)
            value, shown = number(amount), cents(amount)
        rows.append({"name": name, kind: value})
        paper.row(name, str(shown), rule=i == 0 and head and rng.random() < 0.6)
    return Document("table", {"rows": rows}, paper.draw([0.0] if rng.random() < 0.6 else None))


MAKERS = [(receipt, 0.6), (label, 0.1), (badge, 0.08), (form, 0.12), (table, 0.1)]


def as_square(image: Image.Image) -> Image.Image:
    """What the model's image processor does."""
    return image.resize((SIDE, SIDE), Image.LANCZOS)


def make_document(rng: Random, texts: Texts, maker=None) -> Document:
    maker = maker or rng.choices([m for m, _ in MAKERS], [share for _, share in MAKERS])[0]
    return maker(rng, texts)
