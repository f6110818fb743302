"""How a conversation is laid out: where the text stands beside the pictures, and what the system message says."""

from random import Random

from .common import ASKED, PICTURE, Row

# "You are a helpful assistant." and "Be brief." are what the test uses: neither may stand here.
SHORT = [
    "You are a friendly assistant.", "You are an assistant.", "You are an AI assistant.", "You answer questions.",
    "You are a vision model.", "Help the user.", "You see pictures.", "You are a careful reader.", "Be helpful.",
    "Be polite.", "Be honest.", "You are Troupe.", "Answer the question.", "Look closely.", "Be accurate.",
    "You are a helpful bot.", "You are helpful.", "You are a chat assistant.", "Assist the user with images.",
]  # fmt: skip
BREVITY = [
    "Be concise.", "Answer briefly.", "Keep it short.", "Answer in one word.", "Use one word.", "Be short.",
    "Short answers only.", "One word.", "Answer with as few words as you can.", "Reply in one sentence.", "Be terse.",
    "Keep your answers brief.", "No long answers.", "Brief answers, please.", "Answer in a few words.",
    "Answer as JSON when you are asked for it.", "If asked for JSON, answer with JSON alone.",
]  # fmt: skip
SENTENCES = [
    "You are a helpful, honest and careful assistant that looks at pictures.", "Today is a good day.",
    "The user sends pictures and asks about them.", "If you do not know, say so.", "Do not make anything up.",
    "Answer in English.", "Never use bad words.", "Think before you answer.", "Read all the text in the image.",
    "You work for a small shop.", "Always be kind to the user.", "Answer only what is asked.",
    "The pictures show shapes, text, charts and receipts.", "You were made to describe images.",
    "Give the right answer, word for word.", "Use simple words.", "Format your answer as plain text.",
]  # fmt: skip
LEADS = [
    "Look at this image.", "Look at the picture.", "Here is a picture.", "Here is an image:", "Image:", "Picture:",
    "This is my image:", "See this image:", "I have a question about this picture.", "Please look at this:",
    "Answer the question about the image.", "Have a look:", "I took this picture.", "Consider the image.",
]  # fmt: skip
TAILS = ["Please.", "Answer briefly.", "Thank you.", "Answer in one sentence.", "Please answer.", "Look closely."]
PAIRS = [
    ("Image 1:", "Image 2:"), ("First image:", "Second image:"), ("First:", "Second:"), ("Before:", "After:"),
    ("Picture 1:", "Picture 2:"), ("A:", "B:"), ("This is the first image:", "This is the second image:"),
]  # fmt: skip


def system_message(rng: Random) -> str | None:
    kind = rng.random()
    if kind < 0.46:
        return None
    if kind < 0.62:
        return rng.choice(SHORT)
    if kind < 0.76:
        return rng.choice(BREVITY)
    if kind < 0.88:
        return " ".join([rng.choice(SHORT), rng.choice(rng.choice([BREVITY, SENTENCES]))])
    return " ".join(rng.sample(SENTENCES, rng.randint(1, 3)))


def message_parts(rng: Random, pictures: int) -> list[str]:
    """Text before, between and behind the pictures."""
    shown = [PICTURE] * pictures
    kind = rng.random()
    if pictures == 0:
        return [ASKED]
    if kind < 0.42:
        return [*shown, ASKED]
    if kind < 0.74:
        return [ASKED, *shown]
    if kind < 0.80:
        return [ASKED + "\n", *shown]
    if kind < 0.83:
        return [*shown, "\n" + ASKED]
    if kind < 0.87:
        return [*shown, f"{ASKED} {rng.choice(TAILS)}"]
    if pictures == 2:
        one, other = rng.choice(PAIRS)
        labelled = [one, PICTURE, other, PICTURE]
        return [ASKED, *labelled] if rng.random() < 0.3 else [*labelled, ASKED]
    lead = rng.choice(LEADS)
    return [f"{lead} {ASKED}", PICTURE] if rng.random() < 0.3 else [lead, PICTURE, ASKED]


def laid_out(rng: Random, row: Row) -> Row:
    row.system = system_message(rng)
    row.parts = message_parts(rng, len(row.images))
    return row
