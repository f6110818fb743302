"""From a row to tokens, as the chat template writes it, with the answers marked."""

from data.common import Row, plain
from model_config import IMAGE_TOKENS
from tokenizer import AROUND, BOS, EOS, GLOBAL, IMAGE, Tokenizer

LENGTH = 224
"""Tokens of a training row."""


def image_ids(count: int) -> list[int]:
    return [AROUND, GLOBAL, *[IMAGE] * IMAGE_TOKENS, AROUND] * count


def question_ids(tokenizer: Tokenizer, question: str, images: int) -> list[int]:
    """From `User:` to `Assistant:`."""
    first = tokenizer.encode("User:")
    # The template writes a space unless an image comes first.
    asked = [*image_ids(images), *tokenizer.encode(question)] if images else tokenizer.encode(" " + question)
    return [*first, *asked, EOS, *tokenizer.encode("\nAssistant:")]


def prompt_ids(tokenizer: Tokenizer, images: int, history: list[tuple[str, str]], question: str) -> list[int]:
    ids = [BOS]
    for asked, answer in history:
        ids += question_ids(tokenizer, plain(asked), images)
        ids += [*tokenizer.encode(" " + plain(answer)), EOS, *tokenizer.encode("\n")]
        images = 0
    return ids + question_ids(tokenizer, plain(question), images)


def encode_row(tokenizer: Tokenizer, row: Row) -> tuple[list[int], list[int]]:
    """
    Ids, and for each position the number of its turn (from 1) where the next token is to be learned, else 0. Turns
    that do not fit are left out.
    """
    ids: list[int] = [BOS]
    marks: list[int] = [0]
    newline = tokenizer.encode("\n")
    for i, turn in enumerate(row.turns):
        asked = question_ids(tokenizer, plain(turn.question), 0 if i else len(row.images))
        answer = [*tokenizer.encode(" " + plain(turn.answer)), EOS]
        if len(ids) + len(asked) + len(answer) + len(newline) > LENGTH:
            break
        ids += [*asked, *answer, *newline]
        # A mark stands where the prediction is made: one position before its token.
        marks += [0] * (len(asked) - 1) + [i + 1] * len(answer) + [0] * (1 + len(newline))
    return ids, marks
