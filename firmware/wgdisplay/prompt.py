"""One line of text from the person at the serial terminal, whatever terminal it is: no cursor keys, no colours.

Unlike `input()` it takes letters beyond ASCII, keeps a password off the screen, and tells leaving from an empty line.
Ctrl-C raises KeyboardInterrupt, as everywhere at the prompt.
"""

import sys

from micropython import const

MAX_LINE = const(4096)  # bytes

_after_return = True  # a newline that follows a return is the same key, also the one that called the dialogue


def begin():
    """Before the first question of a dialogue."""
    global _after_return
    _after_return = True


class Left(Exception):
    """The person left the dialogue: "quit", or Ctrl-D on an empty line."""


class Back(Exception):
    """The person wants the question before this one."""


def read(prompt, secret=False):
    """Prints `prompt` and returns the line that is typed, without blanks around it; Left at Ctrl-D.

    `secret`: nothing of it is shown.
    """
    global _after_return
    show = sys.stdout.write
    show(prompt)
    line = bytearray()
    source = sys.stdin.buffer
    escape = 0  # bytes of a cursor key's sequence that were seen
    while True:
        byte = source.read(1)
        if not byte:
            raise Left
        byte = byte[0]
        newline_again = byte == 10 and _after_return
        _after_return = byte == 13
        if newline_again:
            continue
        if escape:
            escape = (
                2
                if escape == 1 and byte in (0x5B, 0x4F)
                else 1
                if escape == 2 and not 64 <= byte <= 126
                else 0
            )
            if escape == 1:
                escape = 2
            continue
        if byte in (10, 13):
            show("\n")
            try:
                return bytes(line).decode().strip()
            except UnicodeError:
                show("That was not text (UTF-8). Once more.\n" + prompt)
                line = bytearray()
        elif byte == 3:
            raise KeyboardInterrupt
        elif byte == 4:
            if not line:
                show("\n")
                raise Left
        elif byte == 27:
            escape = 1
        elif byte in (8, 127):
            if line:
                last = line[-1]
                while last & 0xC0 == 0x80 and len(line) > 1:  # the rest of one character
                    line = line[:-1]
                    last = line[-1]
                line = line[:-1]
                if not secret:
                    show("\b \b")
        elif byte == 21:  # Ctrl-U: anew
            if not secret:
                show("\b \b" * sum(1 for b in line if b & 0xC0 != 0x80))
            line = bytearray()
        elif byte >= 32 and len(line) < MAX_LINE:
            line.append(byte)
            if not secret:
                sys.stdout.buffer.write(bytes((byte,)))


def answer(prompt, secret=False):
    """A line; "quit" raises Left and "back" raises Back. In quotes they are plain text: see `text_of()`."""
    line = read(prompt, secret)
    word = line.lower()
    if word in ("quit", "exit"):
        raise Left
    if word == "back":
        raise Back
    return line


def text_of(line):
    """What a line stands for: in double quotes any text, the empty one too."""
    if len(line) >= 2 and line[0] == '"' and line[-1] == '"':
        return line[1:-1]
    return line


def yes(question, preset, ask=answer, say=print):
    """Asks for yes or no; Enter takes `preset`."""
    while True:
        line = ask("{} [{}] ".format(question, "yes" if preset else "no")).lower()
        if not line:
            return preset
        if line in ("y", "yes", "true", "1", "on"):
            return True
        if line in ("n", "no", "false", "0", "off"):
            return False
        say("Type yes or no.")
