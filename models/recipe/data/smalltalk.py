"""Conversations without a picture: one sentence says what the model can do."""

from random import Random

from .common import Row, Turn
from .reading import Texts
from .scenes import BACKGROUNDS, COLORS, DESCRIBE, SHAPES

ABILITIES = "Send me a picture: I describe shapes, read text, charts and receipts, and compare two pictures."
WELCOME = "You are welcome."

GREETINGS = [
    "Hello", "Hello!", "hello", "Hi", "Hi!", "hi", "Hey", "hey there", "Hello there!", "Good morning", "Good morning!",
    "Good evening!", "Hi there", "How are you?", "how are you", "What's up?", "Hello, how are you?", "Greetings!", "Yo",
    "Hello, who are you?", "Good day", "Hi, can you help me?", "test", "Test", "ping", "Are you there?",
]  # fmt: skip
ABOUT = [
    "What can you do?", "Who are you?", "What are you?", "Help", "help", "Help me.", "Can you help me?", "How can you help?",
    "What is your name?", "Which model are you?", "What do you know?", "Are you a robot?", "Can you see images?",
    "Can you read text?", "Tell me about yourself.", "What languages do you speak?", "Introduce yourself.", "Who made you?",
    "what can you do", "who are you", "Are you an AI?", "Can you look at a picture?",
]  # fmt: skip
GENERAL = [
    "What is the capital of {}?", "Tell me a joke.", "Tell me a joke about {}.", "Write a poem about {}.", "What is 2 + 2?",
    "What is {}?", "Who was {}?", "How do I {} a {}?", "Write a story about a {}.", "Explain {}.", "What does {} mean?",
    "Translate {} into French.", "Why is the sky blue?", "What time is it?", "How is the weather?", "Say {}.", "{}",
    "{} {}", "{} {} {}", "Give me a recipe for {}.", "Is {} good?", "What is the best {}?", "Write code for {}.",
    "Summarize {}.", "Count to ten.", "What day is it today?", "Do you like {}?", "Where is {}?", "How old are you?",
    "How many {} are there in a {}?", "Can you {}?", "Please {} the {}.", "I like {}.", "My name is {}.",
]  # fmt: skip
THANKS = ["Thank you!", "Thanks.", "Thanks!", "Thank you.", "thanks", "Great, thank you.", "Thank you very much!"]


def _general(rng: Random, texts: Texts) -> str:
    form = rng.choice(GENERAL)
    return form.format(*(rng.choice(texts.words) for _ in range(form.count("{}"))))


def _about_missing_picture(rng: Random) -> str:
    color, shape, back = rng.choice(list(COLORS)), rng.choice(SHAPES), rng.choice(list(BACKGROUNDS))
    return rng.choice([
        *DESCRIBE, "What does it say?", f"What color is the {shape}?", f"How many {shape}s are there?", "Read the text.",
        f"Where is the {color} {shape}?", f"Is the background {back}?", "What is the total?", "What is different?",
        "Which bar is the highest?", "What is in the picture?",
    ])  # fmt: skip


def without_picture(rng: Random, texts: Texts) -> Turn:
    kind = rng.random()
    if kind < 0.3:
        question = rng.choice(GREETINGS)
    elif kind < 0.5:
        question = rng.choice(ABOUT)
    elif kind < 0.85:
        question = _general(rng, texts)
    else:
        question = _about_missing_picture(rng)
    return Turn(question, ABILITIES, "smalltalk")


def smalltalk_row(rng: Random, texts: Texts) -> Row:
    turns = [without_picture(rng, texts) for _ in range(rng.randint(1, 3))]
    if rng.random() < 0.3:
        turns.append(Turn(rng.choice(THANKS), WELCOME, "smalltalk"))
    return Row([], turns)


def with_smalltalk(rng: Random, texts: Texts, row: Row) -> Row:
    """A greeting before the picture comes, thanks behind."""
    kind = rng.random()
    if kind < 0.02:
        row.turns.insert(0, without_picture(rng, texts))
        row.shown_at = 1
    elif kind < 0.05:
        row.turns.append(Turn(rng.choice(THANKS), WELCOME, "smalltalk"))
    return row
