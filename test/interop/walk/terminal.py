"""Runs a command at a pseudo terminal as a person does: waits for each question, types the answer.

Reads from standard input: {"command": [...], "answers": [[question, keys], ...]}. Prints {"screen", "code", "typed"}.
"""

import json
import os
import pty
import re
import select
import sys
import time

TIMEOUT_SECONDS = 120
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]|\r")


def main() -> None:
    script = json.load(sys.stdin)
    child, terminal = pty.fork()
    if child == 0:
        os.execvp(script["command"][0], script["command"])
    answers = [tuple(one) for one in script["answers"]]
    screen, seen, typed, end = "", 0, 0, time.monotonic() + TIMEOUT_SECONDS
    while time.monotonic() < end:
        ready, _, _ = select.select([terminal], [], [], 0.2)
        if ready:
            try:
                piece = os.read(terminal, 65536)
            except OSError:  # The command has ended, and its side of the terminal is closed.
                break
            if piece == b"":
                break
            screen += piece.decode("utf-8", "replace")
            continue
        # Nothing moves on the screen: a question waits for its answer.
        plain = ESCAPES.sub("", screen)
        if answers and answers[0][0] in plain[seen:]:
            seen = len(plain)
            _, keys = answers.pop(0)
            typed += len(keys)
            os.write(terminal, keys.encode())
    else:
        os.kill(child, 9)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    json.dump({"screen": ESCAPES.sub("", screen), "code": code, "typed": typed, "left": len(answers)}, sys.stdout)


main()
