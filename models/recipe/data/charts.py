"""Simple bar charts and questions about them."""

import string
from random import Random

from PIL import Image, ImageDraw

from .common import NUMBERS, REFUSAL, SIDE, Row, Turn, jitter, literal
from .reading import Texts, font_of
from .scenes import COLORS, DESCRIBE, out_of_scope

NAMES = (
    "Tea Milk Oats Eggs Rice Corn Figs Plum Pear Kiwi Lime Nuts Fish Cake Jam Soup Cats Dogs Cows Bees Ants Owls "
    "Hens Pigs Bus Car Bike Boat Train Tram Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec Mon Tue Wed Thu Fri Sat "
    "Sun Ann Bob Eve Max Tom Kim Lee Zoe Ben Amy Red Blue Gold Pink North South East West Oslo Rome Bern Lima "
    "Math Art Gym Pop Rock Jazz"
).split()


class Chart:
    def __init__(self, rng: Random):
        count = rng.choices([3, 4, 5, 6], [4, 4, 3, 2])[0]
        longest = 4 if count > 4 else 5
        kind = rng.random()
        if kind < 0.2:
            start = rng.randrange(26 - count)
            labels = list(string.ascii_uppercase[start : start + count])
        elif kind < 0.35:
            labels = []
            while len(labels) < count:
                label = "".join(rng.choices(string.ascii_lowercase, k=rng.randint(2, 4))).capitalize()
                if label not in labels:
                    labels.append(label)
        else:
            labels = rng.sample([n for n in NAMES if len(n) <= longest], count)
        self.labels = labels
        # Printed values may be anything; values read off the axis are whole steps of it.
        self.printed = rng.random() < 0.55
        top = rng.choice([10, 20, 50, 100]) if self.printed else 10
        # One highest and one lowest.
        while True:
            self.values = [rng.randint(1, top - (1 if top > 10 else 0)) for _ in range(count)]
            if self.values.count(max(self.values)) == 1 and self.values.count(min(self.values)) == 1:
                break
        self.top = top

    def value(self, i: int) -> str:
        return str(self.values[i])


def draw_chart(rng: Random, chart: Chart, texts: Texts) -> Image.Image:
    dark = rng.random() < 0.15
    paper = jitter(rng, (28, 28, 32) if dark else (250, 250, 250), 6)
    ink = jitter(rng, (225, 225, 225) if dark else (30, 30, 30), 20)
    image = Image.new("RGB", (SIDE, SIDE), paper)
    draw = ImageDraw.Draw(image)
    count = len(chart.labels)
    left = 8 if chart.printed else 22
    right = SIDE - 5
    bottom = SIDE - 20
    top = 20 if chart.printed else 10
    step = (right - left) / count

    def fit(texts_, width, largest):
        while True:
            path = rng.choice(texts.fonts)
            widest = max(font_of(path, 32).getlength(text) for text in texts_) / 32
            size = min(largest, int(width / widest))
            if size >= 10:
                return font_of(path, size)
            width += 0.5

    labels = fit(chart.labels, step - 2, rng.randint(12, 15))
    numbers = fit([chart.value(i) for i in range(count)] if chart.printed else ["10"], min(step - 2, 17), 14)
    if not chart.printed:
        line = tuple((p * 3 + i) // 4 for p, i in zip(paper, ink))
        every = rng.choice([2, 5, 5])
        for value in range(0, 11):
            y = bottom - (bottom - top) * value / 10
            if value % every == 0:
                draw.line([left - 3, y, right, y], fill=line)
                text = str(value)
                draw.text((left - 5, y), text, font=numbers, fill=ink, anchor="rm")
            elif every == 5:
                draw.line([left - 2, y, left, y], fill=ink)
    own_colors = rng.random() < 0.5
    palette = [c for c in COLORS if c not in (("black", "brown") if dark else ("white", "yellow"))]
    common = rng.choice(palette)
    bar = step * rng.uniform(0.5, 0.75)
    for i, value in enumerate(chart.values):
        middle = left + step * (i + 0.5)
        y = bottom - (bottom - top) * value / chart.top
        fill = jitter(rng, COLORS[rng.choice(palette) if own_colors else common], 12)
        draw.rectangle([round(middle - bar / 2), round(y), round(middle + bar / 2), bottom], fill=fill)
        if chart.printed:
            draw.text((middle, y - 2), chart.value(i), font=numbers, fill=ink, anchor="mb")
        draw.text((middle, bottom + 3), chart.labels[i], font=labels, fill=ink, anchor="ma")
    draw.line([left, bottom, right, bottom], fill=ink)
    if not chart.printed or rng.random() < 0.3:
        draw.line([left, top - 4, left, bottom], fill=ink)
    return image


def chart_question(rng: Random, chart: Chart) -> Turn:
    kind = rng.random()
    count = len(chart.labels)
    if kind < 0.2:
        i = chart.values.index(max(chart.values))
        return Turn(rng.choice(["Which bar is the highest?", "Which is the highest?"]), _name(chart, i), "chart")
    if kind < 0.35:
        i = chart.values.index(min(chart.values))
        return Turn(rng.choice(["Which bar is the lowest?", "Which is the lowest?"]), _name(chart, i), "chart")
    i = rng.randrange(count)
    label = literal(chart.labels[i])
    if kind < 0.75:
        forms = [f"What value has {label}?", f"What is the value of {label}?", f"How much is {label}?"]
        return Turn(rng.choice(forms), f"{literal(chart.value(i))}.", "chart")
    if kind < 0.85:
        return Turn("How many bars are there?", f"{NUMBERS[count]}.", "chart")
    j = rng.choice([j for j in range(count) if j != i])
    if chart.values[i] == chart.values[j]:
        return chart_question(rng, chart)
    higher = rng.random() < 0.5
    question = f"Is {label} {'higher' if higher else 'lower'} than {literal(chart.labels[j])}?"
    return Turn(question, "Yes." if (chart.values[i] > chart.values[j]) == higher else "No.", "chart")


def _name(chart: Chart, i: int) -> str:
    return f"{literal(chart.labels[i])}."


def chart_refusal(rng: Random, chart: Chart) -> Turn:
    if rng.random() < 0.6:
        missing = literal(rng.choice([n for n in NAMES if n not in chart.labels]))
        if all(len(label) == 1 for label in chart.labels) and rng.random() < 0.8:
            missing = literal(rng.choice([c for c in string.ascii_uppercase if c not in chart.labels]))
        forms = [f"What value has {missing}?", f"What is the value of {missing}?", f"How much is {missing}?"]
        return Turn(rng.choice(forms), REFUSAL, "refusal")
    return Turn(out_of_scope(rng, text=False, chart=False, shapes=True), REFUSAL, "refusal")


def chart_description(rng: Random, chart: Chart) -> Turn:
    bars = [f"{literal(label)} {literal(chart.value(i))}" for i, label in enumerate(chart.labels)]
    listed = ", ".join(bars[:-1]) + " and " + bars[-1]
    return Turn(rng.choice(DESCRIBE), f"A bar chart: {listed}.", "chart-description")


def chart_row(rng: Random, texts: Texts) -> Row:
    chart = Chart(rng)
    row = Row([draw_chart(rng, chart, texts)])
    turns = [
        chart_refusal(rng, chart) if rng.random() < 0.2 else chart_question(rng, chart)
        for _ in range(rng.randint(2, 3))
    ]
    place = rng.random()
    if place < 0.7:
        turns.append(chart_description(rng, chart))
    elif place < 0.85:
        turns.insert(0, chart_description(rng, chart))
    row.turns = turns
    row.noise = rng.choice([0, 0, 0, 4, 8])
    return row
