"""Scenes of one to six shapes on a three by three grid, descriptions of them and questions about them."""

import math
from dataclasses import dataclass
from functools import lru_cache
from random import Random

from PIL import Image, ImageDraw

from .common import NUMBERS, REFUSAL, SIDE, Row, Turn, distance, gradient, jitter, joined

COLORS = {
    "red": (215, 38, 40),
    "orange": (245, 138, 24),
    "yellow": (246, 216, 42),
    "green": (44, 152, 62),
    "blue": (38, 84, 206),
    "purple": (128, 52, 168),
    "pink": (246, 128, 182),
    "brown": (118, 70, 34),
    "black": (24, 24, 26),
    "white": (249, 249, 249),
}
BACKGROUNDS = {
    "white": (250, 250, 250),
    "gray": (150, 150, 152),
    "black": (18, 18, 20),
    "cream": (250, 240, 200),
    "tan": (208, 178, 138),
    "light blue": (172, 214, 246),
    "light green": (176, 230, 178),
    "lavender": (204, 188, 242),
}
SHAPES = ["circle", "square", "triangle", "star", "cross", "ring", "heart", "diamond"]
PLACES = [
    "at the top left", "at the top", "at the top right",
    "on the left", "in the center", "on the right",
    "at the bottom left", "at the bottom", "at the bottom right",
]  # fmt: skip
SIZES = ["small", "large"]
# Things that are never in a picture.
ABSENT = ["dog", "cat", "car", "tree", "house", "man", "woman", "bird", "boat", "chair", "flower", "bicycle"]
CELL = SIDE // 3


@dataclass(frozen=True)
class Thing:
    color: str
    shape: str
    size: str
    cell: int

    @property
    def name(self) -> str:
        return f"{self.color} {self.shape}"

    @property
    def place(self) -> str:
        return PLACES[self.cell]


@dataclass
class Scene:
    background: str
    things: list[Thing]


def make_scene(rng: Random, count: int | None = None) -> Scene:
    """Every pair of colour and shape occurs once, so that it names one thing."""
    count = count or rng.choices([1, 2, 3, 4, 5, 6], [3, 4, 4, 4, 4, 4])[0]
    background = rng.choice(list(BACKGROUNDS))
    colors = [c for c in COLORS if distance(COLORS[c], BACKGROUNDS[background]) > 75]
    # Few colours or few shapes now and then: then things must be told apart by the other.
    if rng.random() < 0.3:
        colors = rng.sample(colors, 2)
    shapes = rng.sample(SHAPES, 2) if rng.random() < 0.3 and len(colors) > 2 else SHAPES
    cells = rng.sample(range(9), count)
    names: set[tuple[str, str]] = set()
    things = []
    for cell in sorted(cells):
        while True:
            name = (rng.choice(colors), rng.choice(shapes))
            if name not in names:
                break
        names.add(name)
        things.append(Thing(*name, rng.choice(SIZES), cell))
    return Scene(background, things)


def draw_scene(rng: Random, scene: Scene) -> Image.Image:
    image = gradient(rng, jitter(rng, BACKGROUNDS[scene.background], 6), rng.choice([0, 0, 6, 10]))
    outlined = rng.random() < 0.2
    for thing in scene.things:
        radius = rng.randint(8, 11) if thing.size == "small" else rng.randint(16, 21)
        slack = 8 if thing.size == "small" else 3
        x = thing.cell % 3 * CELL + CELL // 2 + rng.randint(-slack, slack)
        y = thing.cell // 3 * CELL + CELL // 2 + rng.randint(-slack, slack)
        angle = rng.choice((-12, -6, 0, 0, 6, 12))
        color = jitter(rng, COLORS[thing.color], 12)
        if outlined:
            edge = tuple(c // 2 for c in color) if sum(color) > 200 else (110, 110, 110)
            paste(image, thing.shape, radius + 1, angle, x, y, edge)
            radius -= 1
        paste(image, thing.shape, radius, angle, x, y, color)
    return image


def paste(image: Image.Image, shape: str, radius: int, angle: int, x: int, y: int, color) -> None:
    mask = shape_mask(shape, radius, angle)
    half = mask.width // 2
    image.paste(color, (x - half, y - half), mask)


@lru_cache(maxsize=None)
def shape_mask(shape: str, radius: int, angle: int) -> Image.Image:
    scale = 4
    half = radius + 3
    side = 2 * half * scale
    mask = Image.new("L", (side, side), 0)
    draw = ImageDraw.Draw(mask)
    c, r = side / 2, radius * scale

    def points(pairs):
        return [(c + r * px, c + r * py) for px, py in pairs]

    def around(count: int, radii, start: float = -90):
        steps = [(math.radians(start + 360 * i / count), radii[i % len(radii)]) for i in range(count)]
        return points([(math.cos(a) * d, math.sin(a) * d) for a, d in steps])

    if shape in ("circle", "ring"):
        draw.ellipse([c - r, c - r, c + r, c + r], fill=255)
        if shape == "ring":
            inner = r * 0.55
            draw.ellipse([c - inner, c - inner, c + inner, c + inner], fill=0)
    elif shape == "square":
        draw.polygon(points([(-0.86, -0.86), (0.86, -0.86), (0.86, 0.86), (-0.86, 0.86)]), fill=255)
    elif shape == "triangle":
        draw.polygon(points([(0, -1), (1, 0.82), (-1, 0.82)]), fill=255)
    elif shape == "star":
        draw.polygon(around(10, [1.08, 0.45]), fill=255)
    elif shape == "cross":
        w = 0.33
        draw.polygon(points([(-w, -1), (w, -1), (w, 1), (-w, 1)]), fill=255)
        draw.polygon(points([(-1, -w), (1, -w), (1, w), (-1, w)]), fill=255)
    elif shape == "diamond":
        draw.polygon(points([(0, -1.1), (0.8, 0), (0, 1.1), (-0.8, 0)]), fill=255)
    elif shape == "heart":
        outline = []
        for i in range(60):
            t = 2 * math.pi * i / 60
            px = 16 * math.sin(t) ** 3
            py = -(13 * math.cos(t) - 5 * math.cos(2 * t) - 2 * math.cos(3 * t) - math.cos(4 * t))
            outline.append((px / 16.5, py / 16.5 - 0.08))
        draw.polygon(points(outline), fill=255)
    if angle and shape not in ("circle", "ring"):
        mask = mask.rotate(angle, Image.BICUBIC)
    return mask.resize((2 * half, 2 * half), Image.LANCZOS)


# --- what is said about a scene ---


def full_name(thing: Thing) -> str:
    return f"a {thing.size} {thing.color} {thing.shape} {thing.place}"


def describe(scene: Scene) -> str:
    """In reading order."""
    names = [full_name(thing) for thing in scene.things]
    background = f"on a {scene.background} background"
    if len(names) == 1:
        return f"There is {names[0]} {background}."
    return f"There are {NUMBERS[len(names)].lower()} shapes {background}: {joined(names)}."


DESCRIBE = ["What is in this image?", "Describe the image.", "What do you see?", "What does the image show?"]


def description(rng: Random, scene: Scene) -> Turn:
    return Turn(rng.choice(DESCRIBE), describe(scene), "description")


def counted(number: int) -> str:
    return f"{NUMBERS[number]}." if number else "None."


def yes(truth: bool) -> str:
    return "Yes." if truth else "No."


def a_place(cell: int) -> str:
    return PLACES[cell]


def _absent_name(rng: Random, scene: Scene) -> tuple[str, str]:
    """A colour and a shape, each likely to be there, which do not occur together."""
    names = {(t.color, t.shape) for t in scene.things}
    while True:
        one, other = rng.choice(scene.things), rng.choice(scene.things)
        color = one.color if rng.random() < 0.5 else rng.choice(list(COLORS))
        shape = other.shape if rng.random() < 0.5 else rng.choice(SHAPES)
        if (color, shape) not in names:
            return color, shape


def question(rng: Random, scene: Scene) -> Turn:
    """One question with an answer in the picture."""
    while True:
        turn = rng.choice(QUESTIONS)(rng, scene)
        if turn is not None:
            return Turn(*turn, "scene")


def _unique(scene: Scene, attribute: str) -> list[Thing]:
    values = [getattr(t, attribute) for t in scene.things]
    return [t for t in scene.things if values.count(getattr(t, attribute)) == 1]


def _ask_color(rng, scene):
    thing = rng.choice(scene.things)
    forms = [f"What color is the shape {thing.place}?"]
    if thing in _unique(scene, "shape"):
        forms += [f"What color is the {thing.shape}?", f"Which color is the {thing.shape}?"] * 2
    same = [t for t in scene.things if (t.shape, t.size) == (thing.shape, thing.size)]
    if len(same) == 1:
        forms.append(f"What color is the {thing.size} {thing.shape}?")
    return rng.choice(forms), f"{thing.color.capitalize()}."


def _ask_shape(rng, scene):
    thing = rng.choice(scene.things)
    forms = [f"What shape is {thing.place}?", f"Which shape is {thing.place}?", f"What is {thing.place}?"]
    if thing in _unique(scene, "color"):
        forms += [f"What shape is {thing.color}?", f"Which shape is {thing.color}?"] * 2
    form = rng.choice(forms)
    if form.startswith("What is"):
        return form, f"A {thing.size} {thing.color} {thing.shape}."
    return form, f"A {thing.shape}."


def _ask_count(rng, scene):
    kind = rng.random()
    if kind < 0.4:
        return rng.choice(["How many shapes are there?", "How many shapes do you see?"]), counted(len(scene.things))
    thing = rng.choice(scene.things)
    if kind < 0.6:
        shape = thing.shape if rng.random() < 0.75 else rng.choice(SHAPES)
        plural = "crosses" if shape == "cross" else f"{shape}s"
        return f"How many {plural} are there?", counted(sum(t.shape == shape for t in scene.things))
    if kind < 0.8:
        color = thing.color if rng.random() < 0.75 else rng.choice(list(COLORS))
        return f"How many shapes are {color}?", counted(sum(t.color == color for t in scene.things))
    size = rng.choice(SIZES)
    return f"How many {size} shapes are there?", counted(sum(t.size == size for t in scene.things))


def _ask_where(rng, scene):
    thing = rng.choice(scene.things)
    forms = [f"Where is the {thing.name}?"]
    if thing in _unique(scene, "shape"):
        forms.append(f"Where is the {thing.shape}?")
    return rng.choice(forms), f"{thing.place[0].upper()}{thing.place[1:]}."


def _ask_size(rng, scene):
    thing = rng.choice(scene.things)
    name = thing.shape if thing in _unique(scene, "shape") and rng.random() < 0.5 else thing.name
    if rng.random() < 0.4:
        size = rng.choice(SIZES)
        return f"Is the {name} {size}?", yes(thing.size == size)
    return rng.choice([f"How big is the {name}?", f"What size is the {name}?"]), f"{thing.size.capitalize()}."


def _ask_there(rng, scene):
    truth = rng.random() < 0.5
    thing = rng.choice(scene.things)
    kind = rng.random()
    if kind < 0.6:
        color, shape = (thing.color, thing.shape) if truth else _absent_name(rng, scene)
        name = f"{color} {shape}"
    elif kind < 0.85:
        absent = [s for s in SHAPES if all(t.shape != s for t in scene.things)]
        name = thing.shape if truth or not absent else rng.choice(absent)
        truth = any(t.shape == name for t in scene.things)
    else:
        name, truth = rng.choice(ABSENT), False
    an = "an" if name[0] in "aeiou" else "a"
    return rng.choice([f"Is there {an} {name}?", f"Do you see {an} {name}?"]), yes(truth)


def _ask_relation(rng, scene):
    if len(scene.things) < 2:
        return None
    one, other = rng.sample(scene.things, 2)
    if rng.random() < 0.5:
        a, b = one.cell % 3, other.cell % 3
        words = ("to the left of", "to the right of")
    else:
        a, b = one.cell // 3, other.cell // 3
        words = ("above", "below")
    if a == b:
        return None
    which = rng.randrange(2)
    return f"Is the {one.name} {words[which]} the {other.name}?", yes((a < b) == (which == 0))


def _ask_background(rng, scene):
    return rng.choice(["What color is the background?", "What is the background color?"]), (
        f"{scene.background.capitalize()}."
    )


QUESTIONS = [
    _ask_color, _ask_color, _ask_shape, _ask_shape, _ask_count, _ask_count, _ask_where, _ask_where,
    _ask_there, _ask_there, _ask_relation, _ask_relation, _ask_size, _ask_background,
]  # fmt: skip


def refusal(rng: Random, scene: Scene) -> Turn:
    """A question about something that is not there."""
    return Turn(_refused_question(rng, scene), REFUSAL, "refusal")


def _refused_question(rng, scene):
    kind = rng.random()
    shapes = [s for s in SHAPES if all(t.shape != s for t in scene.things)]
    colors = [c for c in COLORS if all(t.color != c for t in scene.things)]
    if kind < 0.25:
        shape = rng.choice(shapes)
        return rng.choice([f"What color is the {shape}?", f"Where is the {shape}?", f"How big is the {shape}?"])
    if kind < 0.5:
        color, shape = _absent_name(rng, scene)
        return rng.choice([f"Where is the {color} {shape}?", f"What size is the {color} {shape}?"])
    if kind < 0.62:
        return rng.choice([f"What shape is {rng.choice(colors)}?", f"Which shape is {rng.choice(colors)}?"])
    if kind < 0.74:
        empty = rng.choice([c for c in range(9) if all(t.cell != c for t in scene.things)])
        return rng.choice([f"What shape is {PLACES[empty]}?", f"What color is the shape {PLACES[empty]}?"])
    return out_of_scope(rng, text=True, chart=True)


def out_of_scope(rng: Random, text: bool, chart: bool, shapes: bool = False) -> str:
    """A question about text, a chart, shapes (each if asked for) or about what no picture here shows."""
    forms = [
        f"What color is the {rng.choice(ABSENT)}?",
        f"Where is the {rng.choice(ABSENT)}?",
        f"How big is the {rng.choice(ABSENT)}?",
        f"What is the {rng.choice(ABSENT)} doing?",
        rng.choice(["Who made this image?", "When was this taken?", "Where was this taken?", "Who is this?"]),
    ]
    if text:
        forms += ["What does it say?", "What does the text say?", "Read the text.", "What number is shown?"]
    if chart:
        forms += ["Which bar is the highest?", "Which bar is the lowest?", "How many bars are there?"]
    if shapes:
        color, shape = rng.choice(list(COLORS)), rng.choice(SHAPES)
        forms += [f"Where is the {shape}?", f"What color is the {shape}?", f"Where is the {color} {shape}?"]
        forms += [f"What shape is {color}?", f"What shape is {rng.choice(PLACES)}?"]
    return rng.choice(forms)


def follow_ups(rng: Random, scene: Scene) -> list[Turn]:
    """A question that names one thing, then questions that call it 'it'."""
    thing = rng.choice(scene.things)
    if thing in _unique(scene, "color") and rng.random() < 0.5:
        first = (f"What shape is {thing.color}?", f"A {thing.shape}.")
        asked = ["where", "size"]
    elif rng.random() < 0.5:
        first = (f"Is there a{'n' if thing.color[0] in 'aeiou' else ''} {thing.name}?", "Yes.")
        asked = ["where", "size"]
    else:
        first = (f"What shape is {thing.place}?", f"A {thing.shape}.")
        asked = ["color", "size"]
    rng.shuffle(asked)
    turns = [Turn(*first, "turns")]
    for what in asked[: rng.randint(1, 2)]:
        question, answer = {
            "where": ("Where is it?", f"{thing.place[0].upper()}{thing.place[1:]}."),
            "size": ("How big is it?", f"{thing.size.capitalize()}."),
            "color": ("What color is it?", f"{thing.color.capitalize()}."),
        }[what]
        turns.append(Turn(question, answer, "turns"))
    return turns


def scene_row(rng: Random) -> Row:
    scene = make_scene(rng)
    row = Row([draw_scene(rng, scene)])
    turns: list[Turn] = []
    if rng.random() < 0.3:
        turns += follow_ups(rng, scene)
    for _ in range(rng.randint(2, 4)):
        turns.append(refusal(rng, scene) if rng.random() < 0.2 else question(rng, scene))
    # The description says everything: mostly last, so that it cannot be copied from; often alone.
    place = rng.random()
    if place < 0.55:
        turns.append(description(rng, scene))
    elif place < 0.85:
        turns.insert(0, description(rng, scene))
    row.turns = turns
    row.noise = rng.choice([0, 0, 0, 4, 8])
    return row
