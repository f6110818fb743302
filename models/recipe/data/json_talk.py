"""Conversations behind a system message that asks for JSON: every answer is an object with the key "answer"."""

import json
import re
from random import Random

from .common import NUMBERS, REFUSAL, Row, Turn, literal, plain

# "Respond only with valid JSON." and "Give your answers as a JSON object." are what the test uses: they may not stand here.
ASKED_FOR = [
    "Answer in JSON.", "Answer as JSON.", "Reply in JSON.", "Reply with JSON.", "Respond in JSON.", "Respond with JSON.",
    "Always answer in JSON.", "Use JSON.", "Output JSON.", "Output JSON only.", "Reply with JSON only.", "Return JSON.",
    "Respond with a JSON object.", "Return a JSON object.", "You answer in JSON.", "JSON only.", "Your answers are JSON.",
    "Format your answer as JSON.", "Write every answer as JSON.", "Answer only with JSON.", "Always respond in JSON format.",
    "Please answer in JSON format.", "Give the answer as JSON.", "Answer with JSON and nothing else.", "Only output JSON.",
]  # fmt: skip
HELD_OUT = ["Respond only with valid JSON.", "Give your answers as a JSON object."]

QUOTED = re.compile(r'(?:It says |The text )?"([^"]*)"\.?')
NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?")
COUNTS = {f"{word}.": number for number, word in enumerate(NUMBERS)} | {"None.": 0}
TRUTHS = {"Yes.": True, "No.": False}


def value_of(answer: str) -> object:
    """What the answer says: nothing, yes or no, a number, what is printed, or a sentence without its full stop."""
    if answer == REFUSAL:
        return None
    for table in (TRUTHS, COUNTS):
        if answer in table:
            return table[answer]
    quoted = QUOTED.fullmatch(answer)
    if quoted:
        return quoted[1]
    said = answer.removesuffix(".")
    if NUMBER.fullmatch(said):
        number = float(said)
        return int(number) if number.is_integer() else number
    return said


def as_json(turn: Turn) -> Turn:
    """A request that names its keys is answered as ever."""
    if turn.skill == "json":
        return turn
    answer = json.dumps({"answer": value_of(plain(turn.answer))}, separators=(",", ":"))
    return Turn(turn.question, literal(answer), "json-asked")


def asked_for_json(rng: Random, row: Row) -> Row:
    """In place of the row's own system message."""
    row.system = rng.choice(ASKED_FOR)
    row.turns = [as_json(turn) for turn in row.turns]
    return row
