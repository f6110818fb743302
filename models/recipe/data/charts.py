"""Simple bar, line and pie charts and questions about them."""

import string
from random import Random

from .common import NUMBERS, REFUSAL, Turn, joined, literal
from .scenes import COLORS, DESCRIBE, out_of_scope

NAMES = (
    "Tea Milk Oats Eggs Rice Corn Figs Plum Pear Kiwi Lime Nuts Fish Cake Jam Soup Cats Dogs Cows Bees Ants Owls "
    "Hens Pigs Bus Car Bike Boat Train Tram Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec Mon Tue Wed Thu Fri Sat "
    "Sun Ann Bob Eve Max Tom Kim Lee Zoe Ben Amy Red Blue Gold Pink North South East West Oslo Rome Bern Lima "
    "Math Art Gym Pop Rock Jazz"
).split()


ORDINALS = ["first", "second", "third", "fourth", "fifth", "sixth"]
KINDS = {"bar": 0.62, "line": 0.19, "pie": 0.19}
# Training meets some names far more often than others, so that the way from a name to its bar is found on those first.
WEIGHTS = [1 / (rank + 3) for rank in range(len(NAMES))]


class Steps:
    """
    How answers about a named bar are written. Without steps "34."; with them the names and values up to the one that is
    asked about, from the left: "Milk 12, Rice 45, Tea 34." Training goes over to steps when the short form is not learned.
    """

    shown = False


class Chart:
    """`practice`: as training draws them, with charts of two bars and names of unequal frequency."""

    def __init__(self, rng: Random, practice: bool = False, kind: str | None = None):
        self.kind = kind or rng.choices(list(KINDS), list(KINDS.values()))[0]
        sizes = [3, 4, 5, 6] if self.kind != "pie" else [3, 4, 4, 5]
        count = rng.choices(sizes, [4, 4, 3, 2])[0]
        if practice and rng.random() < 0.12:
            count = 2
        longest = 4 if count > 4 else 5
        kind = rng.random() * (0.7 if practice and rng.random() < 0.3 else 1)
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
            labels = []
            while len(labels) < count:
                label = rng.choices(NAMES, WEIGHTS)[0] if practice and rng.random() < 0.5 else rng.choice(NAMES)
                if label not in labels and len(label) <= longest:
                    labels.append(label)
        self.labels = labels
        # Printed values may be anything; values read off the axis are whole steps of it.
        self.printed = self.kind == "pie" or rng.random() < 0.55
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
        if self.kind == "pie":
            self.colors = rng.sample(palette, count)
        elif self.kind == "line":
            self.colors = [rng.choice(palette)] * count
        elif rng.random() < 0.5:
            self.colors = rng.sample(palette, count) if rng.random() < 0.7 else rng.choices(palette, k=count)
        else:
            self.colors = [rng.choice(palette)] * count

    def value(self, i: int) -> str:
        return str(self.values[i])

    def name(self, i: int) -> str:
        return literal(self.labels[i])

    def highest_first(self) -> list[int]:
        return sorted(range(len(self.values)), key=lambda i: -self.values[i])


def chart_question(rng: Random, chart: Chart) -> Turn:
    """What the test asks: the highest and the lowest bar, a bar's value, how many, which of two."""
    kinds = [_ask_highest, _ask_lowest, _ask_value, _ask_count, _ask_higher]
    return _asked(rng, chart, kinds, [0.2, 0.15, 0.4, 0.1, 0.15])


def practice_question(rng: Random, chart: Chart) -> Turn:
    """
    What training asks. Beside the test's questions, ones whose answers pair many names with values or places: a question
    about one bar has two tokens to learn from, too few for the model to find out that a name leads to a bar.
    """
    kinds = [
        _ask_value, _ask_values, _ask_name, _ask_color, _ask_highest, _ask_lowest, _ask_sorted, _ask_count, _ask_higher,
        _ask_place, _ask_at, _ask_up_to,
    ]  # fmt: skip
    return _asked(rng, chart, kinds, [0.28, 0.08, 0.05, 0.06, 0.06, 0.05, 0.03, 0.02, 0.09, 0.12, 0.08, 0.08])


def _asked(rng: Random, chart: Chart, kinds: list, shares: list[float]) -> Turn:
    while True:
        kind = rng.choices(kinds, shares)[0]
        turn = kind(rng, chart)
        if turn is not None:
            return Turn(*turn, f"chart-{kind.__name__.removeprefix('_ask_')}")


PARTS = {"bar": "bar", "line": "point", "pie": "slice"}


def _extreme(rng: Random, chart: Chart, at: int, words: tuple[str, str]):
    word = words[1] if chart.kind == "pie" and rng.random() < 0.6 else words[0]
    question = f"Which {PARTS[chart.kind]} is the {word}?" if rng.random() < 0.7 else f"Which is the {word}?"
    return question, f"{chart.name(chart.highest_first()[at])}."


def _ask_highest(rng: Random, chart: Chart):
    return _extreme(rng, chart, 0, ("highest", "largest"))


def _ask_lowest(rng: Random, chart: Chart):
    return _extreme(rng, chart, -1, ("lowest", "smallest"))


def _value_forms(name: str) -> list[str]:
    return [f"What value has {name}?", f"What is the value of {name}?", f"How much is {name}?"]


def _up_to(chart: Chart, *bars: int) -> str:
    return ", ".join(f"{chart.name(i)} {literal(chart.value(i))}" for i in range(max(bars) + 1))


def _ask_value(rng: Random, chart: Chart):
    i = rng.randrange(len(chart.labels))
    answer = _up_to(chart, i) if Steps.shown else literal(chart.value(i))
    return rng.choice(_value_forms(chart.name(i))), f"{answer}."


def _ask_up_to(rng: Random, chart: Chart):
    """The listing that an answer with steps is."""
    i = rng.randrange(len(chart.labels))
    return f"Read the {PARTS[chart.kind]}s up to {chart.name(i)}.", f"{_up_to(chart, i)}."


def _ask_place(rng: Random, chart: Chart):
    """From a name to its place."""
    i = rng.randrange(len(chart.labels))
    question = f"Which {PARTS[chart.kind]} from the left is {chart.name(i)}?"
    if chart.kind == "pie":
        question = f"Which slice of the list is {chart.name(i)}?"
    return question, f"The {ORDINALS[i]}."


def _ask_at(rng: Random, chart: Chart):
    """From a place to the name or the value."""
    i = rng.randrange(len(chart.labels))
    part = f"the {ORDINALS[i]} {PARTS[chart.kind]}"
    if rng.random() < 0.5:
        return f"What is the name of {part}?", f"{chart.name(i)}."
    return f"What is the value of {part}?", f"{literal(chart.value(i))}."


def _ask_values(rng: Random, chart: Chart):
    """Of two to four bars, in the question's order."""
    count = len(chart.labels)
    asked = rng.sample(range(count), rng.randint(2, min(4, count)))
    return f"What are the values of {joined([chart.name(i) for i in asked])}?", f"{_with_values(chart, asked)}."


def _ask_name(rng: Random, chart: Chart):
    """The way back: from a value to the bar."""
    single = [i for i, value in enumerate(chart.values) if chart.values.count(value) == 1]
    i = rng.choice(single)
    return f"Which {PARTS[chart.kind]} has the value {literal(chart.value(i))}?", f"{chart.name(i)}."


def _ask_color(rng: Random, chart: Chart):
    if chart.kind == "line":
        return "What color is the line?", f"{chart.colors[0].capitalize()}."
    i = rng.randrange(len(chart.labels))
    color, part = chart.colors[i], PARTS[chart.kind]
    if chart.colors.count(color) > 1:
        return f"What color is {chart.name(i)}?", f"{color.capitalize()}."
    return rng.choice([
        (f"What color is {chart.name(i)}?", f"{color.capitalize()}."),
        (f"What value has the {color} {part}?", f"{literal(chart.value(i))}."),
        (f"Which {part} is {color}?", f"{chart.name(i)}."),
    ])  # fmt: skip


def _ask_sorted(rng: Random, chart: Chart):
    if len(set(chart.values)) < len(chart.values):
        return None
    order = chart.highest_first()
    part = PARTS[chart.kind]
    if rng.random() < 0.3:
        return f"List the {part}s from lowest to highest.", f"{_with_values(chart, order[::-1])}."
    return f"List the {part}s from highest to lowest.", f"{_with_values(chart, order)}."


def _ask_count(rng: Random, chart: Chart):
    return f"How many {PARTS[chart.kind]}s are there?", f"{NUMBERS[len(chart.labels)]}."


def _ask_higher(rng: Random, chart: Chart):
    i, j = rng.sample(range(len(chart.labels)), 2)
    if chart.values[i] == chart.values[j]:
        return None
    higher = rng.random() < 0.5
    question = f"Is {chart.name(i)} {'higher' if higher else 'lower'} than {chart.name(j)}?"
    answer = "yes" if (chart.values[i] > chart.values[j]) == higher else "no"
    return question, f"{_up_to(chart, i, j)}: {answer}." if Steps.shown else f"{answer.capitalize()}."


def _with_values(chart: Chart, bars: list[int]) -> str:
    return joined([f"{chart.name(i)} {literal(chart.value(i))}" for i in bars])


def chart_refusal(rng: Random, chart: Chart, missing_names: bool = True) -> Turn:
    if missing_names and rng.random() < 0.6:
        missing = literal(rng.choice([n for n in NAMES if n not in chart.labels]))
        if all(len(label) == 1 for label in chart.labels) and rng.random() < 0.8:
            missing = literal(rng.choice([c for c in string.ascii_uppercase if c not in chart.labels]))
        return Turn(rng.choice(_value_forms(missing)), REFUSAL, "refusal")
    return Turn(out_of_scope(rng, text=False, chart=False, shapes=True), REFUSAL, "refusal")


def chart_description(rng: Random, chart: Chart) -> Turn:
    listed = _with_values(chart, list(range(len(chart.labels))))
    return Turn(rng.choice(DESCRIBE), f"A {chart.kind} chart: {listed}.", "chart-description")
