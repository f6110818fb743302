"""Simple bar charts and questions about them."""

import string
from random import Random

from PIL import Image, ImageDraw

from .common import NUMBERS, REFUSAL, SIDE, Row, Turn, jitter, joined, literal
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
        elif kind < 0.28:
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
        self.dark = rng.random() < 0.15
        unreadable = ("black", "brown") if self.dark else ("white", "yellow")
        palette = [c for c in COLORS if c not in unreadable]
        if rng.random() < 0.5:
            self.colors = rng.sample(palette, count) if rng.random() < 0.7 else rng.choices(palette, k=count)
        else:
            self.colors = [rng.choice(palette)] * count

    def value(self, i: int) -> str:
        return str(self.values[i])

    def name(self, i: int) -> str:
        return literal(self.labels[i])

    def highest_first(self) -> list[int]:
        return sorted(range(len(self.values)), key=lambda i: -self.values[i])


def draw_chart(rng: Random, chart: Chart, texts: Texts) -> Image.Image:
    paper = jitter(rng, (28, 28, 32) if chart.dark else (250, 250, 250), 6)
    ink = jitter(rng, (225, 225, 225) if chart.dark else (30, 30, 30), 20)
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
    bar = step * rng.uniform(0.5, 0.75)
    for i, value in enumerate(chart.values):
        middle = left + step * (i + 0.5)
        y = bottom - (bottom - top) * value / chart.top
        fill = jitter(rng, COLORS[chart.colors[i]], 12)
        draw.rectangle([round(middle - bar / 2), round(y), round(middle + bar / 2), bottom], fill=fill)
        if chart.printed:
            draw.text((middle, y - 2), chart.value(i), font=numbers, fill=ink, anchor="mb")
        draw.text((middle, bottom + 3), chart.labels[i], font=labels, fill=ink, anchor="ma")
    draw.line([left, bottom, right, bottom], fill=ink)
    if not chart.printed or rng.random() < 0.3:
        draw.line([left, top - 4, left, bottom], fill=ink)
    return image


def chart_question(rng: Random, chart: Chart) -> Turn:
    """What the test asks: the highest and the lowest bar, a bar's value, how many, which of two."""
    kinds = [_ask_highest, _ask_lowest, _ask_value, _ask_count, _ask_higher]
    return _asked(rng, chart, kinds, [0.2, 0.15, 0.4, 0.1, 0.15])


def practice_question(rng: Random, chart: Chart) -> Turn:
    """
    What training asks. Beside the test's questions, ones whose answers pair many names with values: a question about
    one bar has two tokens to learn from, too few for the model to find out that a name leads to a bar.
    """
    kinds = [
        _ask_value, _ask_values, _ask_name, _ask_color, _ask_highest, _ask_lowest, _ask_sorted, _ask_count, _ask_higher,
    ]  # fmt: skip
    return _asked(rng, chart, kinds, [0.32, 0.16, 0.1, 0.12, 0.08, 0.06, 0.05, 0.03, 0.08])


def _asked(rng: Random, chart: Chart, kinds: list, shares: list[float]) -> Turn:
    while True:
        kind = rng.choices(kinds, shares)[0]
        turn = kind(rng, chart)
        if turn is not None:
            return Turn(*turn, f"chart-{kind.__name__.removeprefix('_ask_')}")


def _ask_highest(rng: Random, chart: Chart):
    name = chart.name(chart.highest_first()[0])
    return rng.choice(["Which bar is the highest?", "Which is the highest?"]), f"{name}."


def _ask_lowest(rng: Random, chart: Chart):
    name = chart.name(chart.highest_first()[-1])
    return rng.choice(["Which bar is the lowest?", "Which is the lowest?"]), f"{name}."


def _value_forms(name: str) -> list[str]:
    return [f"What value has {name}?", f"What is the value of {name}?", f"How much is {name}?"]


def _ask_value(rng: Random, chart: Chart):
    i = rng.randrange(len(chart.labels))
    return rng.choice(_value_forms(chart.name(i))), f"{literal(chart.value(i))}."


def _ask_values(rng: Random, chart: Chart):
    """Of two to four bars, in the question's order."""
    count = len(chart.labels)
    asked = rng.sample(range(count), rng.randint(2, min(4, count)))
    return f"What are the values of {joined([chart.name(i) for i in asked])}?", f"{_with_values(chart, asked)}."


def _ask_name(rng: Random, chart: Chart):
    """The way back: from a value to the bar."""
    single = [i for i, value in enumerate(chart.values) if chart.values.count(value) == 1]
    i = rng.choice(single)
    return f"Which bar has the value {literal(chart.value(i))}?", f"{chart.name(i)}."


def _ask_color(rng: Random, chart: Chart):
    i = rng.randrange(len(chart.labels))
    color = chart.colors[i]
    if chart.colors.count(color) > 1:
        return f"What color is {chart.name(i)}?", f"{color.capitalize()}."
    return rng.choice([
        (f"What color is {chart.name(i)}?", f"{color.capitalize()}."),
        (f"What value has the {color} bar?", f"{literal(chart.value(i))}."),
        (f"Which bar is {color}?", f"{chart.name(i)}."),
    ])  # fmt: skip


def _ask_sorted(rng: Random, chart: Chart):
    if len(set(chart.values)) < len(chart.values):
        return None
    order = chart.highest_first()
    if rng.random() < 0.3:
        return "List the bars from lowest to highest.", f"{_with_values(chart, order[::-1])}."
    return "List the bars from highest to lowest.", f"{_with_values(chart, order)}."


def _ask_count(rng: Random, chart: Chart):
    return "How many bars are there?", f"{NUMBERS[len(chart.labels)]}."


def _ask_higher(rng: Random, chart: Chart):
    i, j = rng.sample(range(len(chart.labels)), 2)
    if chart.values[i] == chart.values[j]:
        return None
    higher = rng.random() < 0.5
    question = f"Is {chart.name(i)} {'higher' if higher else 'lower'} than {chart.name(j)}?"
    return question, "Yes." if (chart.values[i] > chart.values[j]) == higher else "No."


def _with_values(chart: Chart, bars: list[int]) -> str:
    return joined([f"{chart.name(i)} {literal(chart.value(i))}" for i in bars])


def chart_refusal(rng: Random, chart: Chart) -> Turn:
    if rng.random() < 0.6:
        missing = literal(rng.choice([n for n in NAMES if n not in chart.labels]))
        if all(len(label) == 1 for label in chart.labels) and rng.random() < 0.8:
            missing = literal(rng.choice([c for c in string.ascii_uppercase if c not in chart.labels]))
        return Turn(rng.choice(_value_forms(missing)), REFUSAL, "refusal")
    return Turn(out_of_scope(rng, text=False, chart=False, shapes=True), REFUSAL, "refusal")


def chart_description(rng: Random, chart: Chart) -> Turn:
    listed = _with_values(chart, list(range(len(chart.labels))))
    return Turn(rng.choice(DESCRIBE), f"A bar chart: {listed}.", "chart-description")


def chart_row(rng: Random, texts: Texts) -> Row:
    chart = Chart(rng)
    row = Row([draw_chart(rng, chart, texts)])
    turns: dict[str, Turn] = {}
    for _ in range(rng.randint(3, 5)):
        turn = chart_refusal(rng, chart) if rng.random() < 0.12 else practice_question(rng, chart)
        turns.setdefault(turn.question, turn)
    row.turns = list(turns.values())
    # First it gives the answers away, so that it mostly comes last, where the row has room for it.
    place = rng.random()
    if place < 0.5:
        row.turns.append(chart_description(rng, chart))
    elif place < 0.6:
        row.turns.insert(0, chart_description(rng, chart))
    row.noise = rng.choice([0, 0, 0, 4, 8])
    return row
