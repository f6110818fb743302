"""What all generators share: the row they make, colours, literal text, numbers in words."""

from dataclasses import dataclass, field
from random import Random

from PIL import Image

SIDE = 144
PICTURE = "\x03"
ASKED = "\x04"
REFUSAL = "I cannot tell from the image."
NUMBERS = ["Zero", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine"]

Color = tuple[int, int, int]


@dataclass
class Turn:
    question: str
    answer: str
    skill: str


@dataclass
class Row:
    """Pictures of one prompt and the conversation about them."""

    images: list[Image.Image]
    turns: list[Turn] = field(default_factory=list)
    # Standard deviation of the noise that is added to the pictures, levels of 255.
    noise: float = 0.0
    # The system message; None for none.
    system: str | None = None
    # Text of the message with the pictures, in order; a picture is written as PICTURE, the turn's question as ASKED.
    parts: list[str] | None = None
    # The turn whose message has the pictures; the ones before it are asked without.
    shown_at: int = 0


def literal(text: str) -> str:
    """Marks text that is printed in a picture, so that the tokenizer learns no words from it."""
    return f"\x01{text}\x02"


def plain(text: str) -> str:
    return text.replace("\x01", "").replace("\x02", "")


def joined(parts: list[str]) -> str:
    """Two or more."""
    return ", ".join(parts[:-1]) + " and " + parts[-1]


def jitter(rng: Random, color: Color, amount: int) -> Color:
    return tuple(max(0, min(255, c + rng.randint(-amount, amount))) for c in color)


def distance(a: Color, b: Color) -> float:
    return sum((x - y) ** 2 for x, y in zip(a, b)) ** 0.5


def luminance(color: Color) -> float:
    return 0.3 * color[0] + 0.59 * color[1] + 0.11 * color[2]


def random_color(rng: Random) -> Color:
    return (rng.randint(0, 255), rng.randint(0, 255), rng.randint(0, 255))


def gradient(rng: Random, color: Color, amount: int) -> Image.Image:
    """A background that changes a little from one side to the other."""
    if amount == 0:
        return Image.new("RGB", (SIDE, SIDE), color)
    corners = Image.new("RGB", (2, 2))
    corners.putdata([jitter(rng, color, amount) for _ in range(4)])
    return corners.resize((SIDE, SIDE), Image.BILINEAR)
