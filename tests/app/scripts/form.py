# Reads [[schema text, configuration until now, [answers...]]...]; prints for each [what was said, outcome, value]:
# the outcome is "filled", "left", "back", or "unanswered" when the answers were used up.
import json
import sys

from wgdisplay.form import Form
from wgdisplay.prompt import Back, Left
from wgdisplay.storage.schema import SchemaError


class Unanswered(Exception):
    pass


def filled(text, current, answers):
    said = []
    answers = list(answers)

    def ask(prompt, secret=False):
        if not answers:
            said.append(prompt)
            raise Unanswered
        answer = answers.pop(0)
        said.append(prompt + ("" if secret else answer))
        if answer == "back":
            raise Back
        if answer == "quit":
            raise Left
        return answer.strip()

    try:
        return said, "filled", Form(text, ask, said.append).fill(current)
    except Left:
        return said, "left", None
    except Back:
        return said, "back", None
    except Unanswered:
        return said, "unanswered", None
    except SchemaError as error:
        return said, "refused", str(error)


print(json.dumps([filled(*case) for case in json.loads(sys.stdin.readline())]))
