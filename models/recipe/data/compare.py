"""Two pictures in one prompt."""

from random import Random

from .common import REFUSAL, Row, Turn
from .reading import Texts, draw_words, random_word
from .scenes import BACKGROUNDS, COLORS, SHAPES, Scene, Thing, draw_scene, make_scene, out_of_scope, yes

ORDER = ["The first.", "The second."]


def compare_row(rng: Random, texts: Texts, skill: str = "compare") -> Row:
    if rng.random() < 0.17:
        return _words_row(rng, texts)
    first = make_scene(rng, rng.choice([1, 2, 2, 3, 3, 4]))
    second = _second_scene(rng, first)
    row = Row([draw_scene(rng, first), draw_scene(rng, second)])
    row.turns = [Turn(*_question(rng, first, second), skill) for _ in range(rng.randint(1, 2))]
    if rng.random() < 0.12:
        row.turns.append(Turn(out_of_scope(rng, text=True, chart=True), REFUSAL, "refusal"))
    row.noise = rng.choice([0, 0, 0, 4, 8])
    return row


def _second_scene(rng: Random, first: Scene) -> Scene:
    kind = rng.random()
    if kind < 0.35:
        return make_scene(rng, rng.choice([1, 2, 2, 3, 3, 4]))
    if kind < 0.5:
        return first
    # The same but for one thing's colour, or the background.
    if kind < 0.6:
        others = [b for b in BACKGROUNDS if b != first.background]
        return Scene(rng.choice(others), first.things)
    i = rng.randrange(len(first.things))
    old = first.things[i]
    for _ in range(50):
        color = rng.choice([c for c in COLORS if c not in ("black", "white", "brown", "yellow")])
        changed = Thing(color, old.shape, old.size, old.cell)
        names = [t.name for t in first.things]
        if changed.name not in names:
            return Scene(first.background, [*first.things[:i], changed, *first.things[i + 1 :]])
    return first


def _question(rng: Random, first: Scene, second: Scene) -> tuple[str, str]:
    kind = rng.random()
    if kind < 0.22:
        a, b = len(first.things), len(second.things)
        word = rng.choice(["more", "fewer"])
        if a == b:
            answer = "They have the same number."
        else:
            answer = ORDER[(a < b) == (word == "more")]
        return f"Which image has {word} shapes?", answer
    if kind < 0.6:
        thing = rng.choice(first.things + second.things)
        name = rng.choice([thing.name, thing.shape])
        if rng.random() < 0.25:
            name = f"{rng.choice(list(COLORS))} {rng.choice(SHAPES)}"
        there = [any(name in (t.name, t.shape) for t in scene.things) for scene in (first, second)]
        an = "an" if name[0] in "aeiou" else "a"
        if rng.random() < 0.5:
            return f"Do both images show {an} {name}?", yes(all(there))
        answer = {(1, 1): "Both.", (1, 0): ORDER[0], (0, 1): ORDER[1], (0, 0): "Neither."}
        return f"Which image shows {an} {name}?", answer[int(there[0]), int(there[1])]
    if kind < 0.75:
        return "Do both images have the same background?", yes(first.background == second.background)
    changes = [(a, b) for a, b in zip(first.things, second.things) if a != b]
    same_layout = len(first.things) == len(second.things)
    if same_layout and len(changes) == 1 and first.background == second.background:
        a, b = changes[0]
        if (a.shape, a.cell, a.size) == (b.shape, b.cell, b.size) and rng.random() < 0.7:
            return "What is different?", (
                f"The {a.shape} {a.place} is {a.color} in the first image and {b.color} in the second."
            )
    if same_layout and not changes and rng.random() < 0.6:
        if first.background == second.background:
            return "What is different?", "Nothing."
        backgrounds = f"{first.background} in the first image and {second.background} in the second"
        return "What is different?", f"The background is {backgrounds}."
    return "Do both images show the same shapes?", yes(
        sorted((t.color, t.shape) for t in first.things) == sorted((t.color, t.shape) for t in second.things)
    )


def _words_row(rng: Random, texts: Texts) -> Row:
    one = random_word(rng, texts, 8)
    kind = rng.random()
    other = one if kind < 0.4 else random_word(rng, texts, 8)
    row = Row([draw_words(rng, texts, [one]), draw_words(rng, texts, [other])])
    row.turns = [Turn("Do both images say the same?", yes(one == other), "compare")]
    row.noise = rng.choice([0, 0, 5, 10])
    return row
