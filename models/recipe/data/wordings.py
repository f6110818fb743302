"""
Other wordings of the generators' questions: several for each, some of which training never sees.

A rule is a pattern of the plain wording, the wordings that training uses beside it, and those kept for the test.
"""

import re
from random import Random

from .common import Row, Turn
from .scenes import PLACES

PLACE = "|".join(PLACES)

RULES: list[tuple[str, list[str], list[str]]] = [
    (r"What is in this image\?|Describe the image\.|What do you see\?|What does the image show\?",
     ["Describe this picture.", "What is in the picture?", "What can you see?", "Describe what you see.",
      "What is shown here?", "Tell me what is in the image.", "What's in this image?", "What is this?",
      "Describe this image in detail.", "Describe this image.", "What is in the image?", "Caption this image.",
      "What does the picture show?", "Can you describe the image?", "Please describe this picture.",
      "What is in this picture?", "What can be seen here?", "What is on the image?"],
     ["What can be seen in the picture?", "Please tell me what you see.", "Describe what is shown in the image."]),
    (r"What does it say\?|What is written here\?|Read the text\.|What does the text say\?",
     ["What text is in the image?", "Which text do you see?", "What is the text?", "Read what is written.",
      "Tell me what it says.", "What does the sign say?", "Read the image.", "Transcribe the text.",
      "What words are in the image?", "Can you read the text?", "What is written in the image?",
      "Read the text in the image.", "What does the image say?"],
     ["What text do you see?", "Read what it says.", "Tell me what is written here."]),
    (r"What number is shown\?|Which number is this\?",
     ["What is the number?", "Which number do you see?", "Read the number.", "What number is in the image?"],
     ["What number do you see?", "Tell me the number."]),
    (r"What is the background color\?|What color is the background\?",
     ["Which color is the background?", "What is the color of the background?", "What color does the background have?"],
     ["Tell me the background color.", "Which color does the background have?"]),
    (r"(?:What|Which) color is (.+)\?",
     ["Which color is {0}?", "What is the color of {0}?", "What color does {0} have?", "Tell me the color of {0}."],
     ["Which color does {0} have?", "What's the color of {0}?"]),
    (r"(?:What|Which) shape is (.+)\?",
     ["Which shape is {0}?", "What kind of shape is {0}?", "Tell me what shape is {0}."],
     ["Which kind of shape is {0}?", "Tell me which shape is {0}."]),
    (rf"What is ({PLACE})\?",
     ["What do you see {0}?", "What can be seen {0}?", "What is there {0}?", "Tell me what is {0}."],
     ["What can you see {0}?"]),
    (r"How many shapes are (?!there)(\w+)\?",
     ["How many {0} shapes are there?", "Count the {0} shapes.", "How many {0} shapes are in the image?"],
     ["How many {0} shapes do you see?"]),
    (r"How many ((?!words)[\w ]+?) (?:are there|do you see)\?",
     ["How many {0} do you see?", "Count the {0}.", "What is the number of {0}?", "How many {0} can you see?",
      "How many {0} are in the image?"],
     ["How many {0} does the image show?", "Tell me how many {0} there are."]),
    (r"Where is (.+)\?",
     ["What is the position of {0}?", "Where can I find {0}?", "Where do you see {0}?", "In which place is {0}?"],
     ["Where can you see {0}?", "Tell me where {0} is."]),
    (r"(?:How big|What size) is (.+)\?",
     ["What is the size of {0}?", "Which size is {0}?", "What size does {0} have?"],
     ["What's the size of {0}?", "Tell me the size of {0}."]),
    (r"(?:Is there|Do you see) (an? .+)\?",
     ["Can you see {0}?", "Does the image show {0}?", "Does the image have {0}?", "Is {0} in the image?"],
     ["Can {0} be seen?", "Is there {0} in the image?"]),
    (r"Which image has (more|fewer) shapes\?",
     ["In which image are there {0} shapes?", "Which of the images has {0} shapes?"],
     ["Which of the two images has {0} shapes?"]),
    (r"What is different\?",
     ["What has changed?", "What is the difference?", "What changed?", "What is not the same?",
      "What is the difference between the images?"],
     ["What is different between the images?", "Tell me what has changed."]),
    (r"Do both images have the same background\?",
     ["Is the background the same in both images?", "Do the two images have the same background?"],
     ["Is the background of both images the same?"]),
    (r"Do both images show (an? .+)\?", ["Is {0} in both images?", "Do the two images show {0}?"],
     ["Can you see {0} in both images?"]),
    (r"Which image shows (an? .+)\?", ["In which image is {0}?", "Which image has {0}?"],
     ["In which image do you see {0}?"]),
    (r"Do both images show the same shapes\?", ["Are the shapes the same in both images?"],
     ["Do the two images show the same shapes?"]),
    (r"Do both images say the same\?", ["Is the text the same in both images?"], ["Do the two images say the same?"]),
    (r"(?:What value has|What is the value of) (.+)\?",
     ["What value does {0} have?", "Which value has {0}?", "Give the value of {0}.", "How much is {0}?",
      "What is the value for {0}?"],
     ["Tell me the value of {0}.", "Which value does {0} have?"]),
    (r"Which(?: (bar|slice|point))? is the (highest|lowest|largest|smallest)\?",
     ["Which one is the {1}?", "Which one is {1}?", "Which has the {1} value?", "What has the {1} value?",
      "Which name has the {1} value?"],
     ["Which one has the {1} value?", "Tell me which is the {1}."]),
    (r"What is the total\?",
     ["How much is the total?", "What is the total amount?", "What does it cost in total?", "Give the total.",
      "How much is it in total?", "What is the sum?", "How much did it cost?"],
     ["Tell me the total.", "What is the total price?"]),
    (r"What is the (price|name|role|city|date|shop)\?",
     ["Which {0} is shown?", "Give the {0}.", "What {0} is given?", "Read the {0}."],
     ["Tell me the {0}.", "Which {0} is given?"]),
]  # fmt: skip
COMPILED = [(re.compile(pattern), known, unseen) for pattern, known, unseen in RULES]


def reworded(rng: Random, question: str, unseen: bool = False) -> str | None:
    """Another wording of the question, or None where there is none."""
    for pattern, known, kept in COMPILED:
        found = pattern.fullmatch(question)
        if found:
            return rng.choice(kept if unseen else known).format(*found.groups())
    return None


def loosened(rng: Random, question: str) -> str:
    """As people type."""
    if rng.random() < 0.15:
        question = question.replace(" image", " picture")
    kind = rng.random()
    if kind < 0.05:
        return question[0].lower() + question[1:]
    if kind < 0.09:
        return question[0].lower() + question[1:].rstrip("?.")
    if kind < 0.11:
        return question.rstrip("?.")
    if kind < 0.13 and question[0] in "WHDI" and question.endswith("?"):
        return "Please tell me: " + question[0].lower() + question[1:]
    return question


def with_wordings(rng: Random, row: Row) -> Row:
    """Half of the questions in another wording."""
    row.turns = [_turn(rng, turn) for turn in row.turns]
    return row


def _turn(rng: Random, turn: Turn) -> Turn:
    question = turn.question
    if turn.skill == "json":
        return turn
    if rng.random() < 0.5:
        question = reworded(rng, question) or question
    return Turn(loosened(rng, question), turn.answer, turn.skill)
