"""From a row to tokens, as the chat template writes it, with the answers marked."""

from data.common import ASKED, PICTURE, Row, plain
from model_config import IMAGE_TOKENS
from tokenizer import AROUND, BOS, EOS, GLOBAL, IMAGE, Tokenizer

LENGTH = 272
"""Tokens of a training row."""

PICTURE_IDS = [AROUND, GLOBAL, *[IMAGE] * IMAGE_TOKENS, AROUND]


def content_ids(tokenizer: Tokenizer, parts: list[str]) -> list[int]:
    """A message's texts and pictures. The template writes a space unless a picture comes first."""
    ids: list[int] = []
    text = "" if parts[0] == PICTURE else " "
    for part in parts:
        if part == PICTURE:
            ids += [*tokenizer.encode(text), *PICTURE_IDS]
            text = ""
        else:
            text += part
    return ids + tokenizer.encode(text)


def question_ids(tokenizer: Tokenizer, question: str, parts: list[str] | None) -> list[int]:
    """From `User:` to `Assistant:`. `parts` are the message's, where there are pictures."""
    filled = [part.replace(ASKED, question) for part in parts or [ASKED]]
    return [*tokenizer.encode("User:"), *content_ids(tokenizer, filled), EOS, *tokenizer.encode("\nAssistant:")]


def opening_ids(tokenizer: Tokenizer, system: str | None) -> list[int]:
    if system is None:
        return [BOS]
    return [BOS, *tokenizer.encode(f"System: {system}"), EOS, *tokenizer.encode("\n")]


def prompt_ids(tokenizer: Tokenizer, row: Row, history: list[tuple[str, str]], question: str) -> list[int]:
    """`history`: questions and answers before this one."""
    ids = opening_ids(tokenizer, row.system)
    for i, (asked, answer) in enumerate(history):
        ids += question_ids(tokenizer, plain(asked), parts_at(row, i))
        ids += [*tokenizer.encode(" " + plain(answer)), EOS, *tokenizer.encode("\n")]
    return ids + question_ids(tokenizer, plain(question), parts_at(row, len(history)))


def parts_at(row: Row, turn: int) -> list[str] | None:
    if turn != row.shown_at or not row.images:
        return None
    return row.parts or [*[PICTURE] * len(row.images), ASKED]


def answer_ids(tokenizer: Tokenizer, answer: str) -> list[int]:
    """JSON begins at once, as a grammar wants it; text behind a space."""
    text = plain(answer)
    return tokenizer.encode(text if text.startswith("{") else " " + text)


def encode_row(tokenizer: Tokenizer, row: Row) -> tuple[list[int], list[int]]:
    """
    Ids, and for each position the number of its turn (from 1) where the next token is to be learned, else 0. Turns
    that do not fit are left out.
    """
    ids = opening_ids(tokenizer, row.system)
    marks = [0] * len(ids)
    newline = tokenizer.encode("\n")
    for i, turn in enumerate(row.turns):
        asked = question_ids(tokenizer, plain(turn.question), parts_at(row, i))
        answer = [*answer_ids(tokenizer, turn.answer), EOS]
        if len(ids) + len(asked) + len(answer) > LENGTH:
            break
        ids += [*asked, *answer]
        # A mark stands where the prediction is made: one position before its token.
        marks += [0] * (len(asked) - 1) + [i + 1] * len(answer) + [0]
        if len(ids) + len(newline) > LENGTH:
            break
        ids += newline
        marks += [0] * len(newline)
    return ids, marks
