"""Regular expressions of JSON schemas (ECMA-262), matched in time proportional to pattern and text.

MicroPython's `re` backtracks: a pattern of a few bytes can keep it, and every thread with it, busy for ever. A schema
is a widget's, so it may be made for that. Here all alternatives advance together, one character at a time (Thompson's
construction, as in "Regular Expression Matching Can Be Simple And Fast", Cox 2007), and each step is counted.

Known: literals, ".", classes, \\d \\w \\s \\b and their opposites, escapes, groups, "|", "*", "+", "?", "{m,n}" and
their lazy forms, "^", "$". Not known, and refused by name: lookaround, backreferences, \\p{...}, flags.
"""

from micropython import const

MAX_PATTERN = const(512)  # characters
MAX_PROGRAM = const(1000)  # instructions, repetitions written out
_MAX_GROUPS = const(16)  # nested

_CHAR, _ANY, _SET, _SPLIT, _JUMP, _BEGIN, _END, _WORD, _MATCH = range(9)

_DIGITS = (48, 57)
_WORDS = (48, 57, 65, 90, 95, 95, 97, 122)
_SPACES = (9, 13, 32, 32, 0xA0, 0xA0, 0x1680, 0x1680, 0x2000, 0x200A, 0x2028, 0x2029, 0x202F, 0x202F)
_SPACES += (0x205F, 0x205F, 0x3000, 0x3000, 0xFEFF, 0xFEFF)
_CLASSES = {"d": _DIGITS, "w": _WORDS, "s": _SPACES}
_CONTROLS = {"t": 9, "n": 10, "v": 11, "f": 12, "r": 13, "0": 0}
_LINE_ENDS = (10, 13, 0x2028, 0x2029)
_LAST = const(0x10FFFF)


class PatternError(ValueError):
    """A pattern that can't be used here; the message says what it has."""


class Pattern:
    """A compiled pattern. PatternError if it is malformed, too large, or has what is not known here."""

    def __init__(self, text):
        if len(text) > MAX_PATTERN:
            raise PatternError("more than {} characters".format(MAX_PATTERN))
        parser = _Parser(text)
        node = parser.alternatives(0)
        if parser.at < len(text):
            raise PatternError("a ) without its (")
        self._program = []
        self._parts = 0
        self._emit(node)
        self._program.append((_MATCH,))

    def _add(self, instruction):
        if len(self._program) >= MAX_PROGRAM:
            raise PatternError("more than {} steps".format(MAX_PROGRAM))
        self._program.append(instruction)
        return len(self._program) - 1

    def _emit(self, node):
        self._parts += 1
        if self._parts > 4 * MAX_PROGRAM:  # repetitions of nothing make no instructions
            raise PatternError("more than {} parts".format(4 * MAX_PROGRAM))
        kind = node[0]
        if kind == "cat":
            for part in node[1]:
                self._emit(part)
        elif kind == "alt":
            ends = []
            for part in node[1][:-1]:
                split = self._add(None)
                self._emit(part)
                ends.append(self._add(None))
                self._program[split] = (_SPLIT, split + 1, len(self._program))
            self._emit(node[1][-1])
            for end in ends:
                self._program[end] = (_JUMP, len(self._program))
        elif kind == "rep":
            _, part, least, most = node
            for _ in range(least):
                self._emit(part)
            if most is None:
                split = self._add(None)
                self._emit(part)
                self._add((_JUMP, split))
                self._program[split] = (_SPLIT, split + 1, len(self._program))
                return
            splits = []
            for _ in range(most - least):
                splits.append(self._add(None))
                self._emit(part)
            for split in splits:
                self._program[split] = (_SPLIT, split + 1, len(self._program))
        else:
            self._add(node)

    def found_in(self, text, step):
        """Whether the pattern matches anywhere in `text`. `step(n)` is told of each n steps; it may raise."""
        program = self._program
        marks = [-1] * len(program)
        current = []
        codes = [ord(c) for c in text]
        for at in range(len(codes) + 1):
            stack = [0]
            following = current
            current = []
            if at:
                stack = following
                stack.append(0)
            while stack:
                pc = stack.pop()
                if marks[pc] == at:
                    continue
                marks[pc] = at
                instruction = program[pc]
                kind = instruction[0]
                if kind == _MATCH:
                    return True
                if kind == _JUMP:
                    stack.append(instruction[1])
                elif kind == _SPLIT:
                    stack.append(instruction[2])
                    stack.append(instruction[1])
                elif kind == _BEGIN:
                    if at == 0:
                        stack.append(pc + 1)
                elif kind == _END:
                    if at == len(codes):
                        stack.append(pc + 1)
                elif kind == _WORD:
                    before = at > 0 and _in(codes[at - 1], _WORDS)
                    after = at < len(codes) and _in(codes[at], _WORDS)
                    if (before != after) == instruction[1]:
                        stack.append(pc + 1)
                elif at < len(codes):
                    code = codes[at]
                    if (
                        kind == _CHAR
                        and code == instruction[1]
                        or kind == _ANY
                        and code not in _LINE_ENDS
                        or kind == _SET
                        and _in(code, instruction[1]) == instruction[2]
                    ):
                        current.append(pc + 1)
                step(1)
        return False


def _in(code, ranges):
    for i in range(0, len(ranges), 2):
        if ranges[i] <= code <= ranges[i + 1]:
            return True
    return False


class _Parser:
    def __init__(self, text):
        self.text = text
        self.at = 0

    def _peek(self):
        return self.text[self.at] if self.at < len(self.text) else ""

    def _next(self):
        c = self._peek()
        if not c:
            raise PatternError("it ends too early")
        self.at += 1
        return c

    def alternatives(self, depth):
        if depth > _MAX_GROUPS:
            raise PatternError("more than {} groups in each other".format(_MAX_GROUPS))
        parts = [self._sequence(depth)]
        while self._peek() == "|":
            self.at += 1
            parts.append(self._sequence(depth))
        return ("alt", parts) if len(parts) > 1 else parts[0]

    def _sequence(self, depth):
        parts = []
        while self._peek() not in ("", "|", ")"):
            parts.append(self._repeated(self._atom(depth)))
        return ("cat", parts)

    def _repeated(self, node):
        c = self._peek()
        if c == "*":
            least, most = 0, None
        elif c == "+":
            least, most = 1, None
        elif c == "?":
            least, most = 0, 1
        elif c == "{":
            found = self._braces()
            if found is None:
                return node  # a brace that is none of a repetition stands for itself
            least, most = found
        else:
            return node
        self.at += 1
        if self._peek() == "?":
            self.at += 1  # lazy: the same texts match
        if self._peek() in ("*", "+", "?"):
            raise PatternError("two repetitions of one thing")
        return ("rep", node, least, most)

    def _braces(self):
        end = self.text.find("}", self.at)
        least, comma, most = self.text[self.at + 1 : end].partition(",")
        if end < 0 or not _is_number(least) or most and not _is_number(most):
            return None
        self.at = end
        low = int(least)
        high = int(most) if most else None if comma else low
        if low > MAX_PROGRAM or high is not None and not low <= high <= MAX_PROGRAM:
            raise PatternError("more than {} repetitions".format(MAX_PROGRAM))
        return low, high

    def _atom(self, depth):
        c = self._next()
        if c == "(":
            if self._peek() == "?":
                self.at += 1
                kind = self._next()
                if kind == "<" and self._peek() not in ("=", "!"):
                    while self._next() != ">":
                        pass
                elif kind != ":":
                    raise PatternError("lookaround")
            node = self.alternatives(depth + 1)
            if self._peek() != ")":
                raise PatternError("a ( without its )")
            self.at += 1
            return node
        if c == "[":
            return self._class()
        if c == ".":
            return (_ANY,)
        if c == "^":
            return (_BEGIN,)
        if c == "$":
            return (_END,)
        if c in ("*", "+", "?"):
            raise PatternError("a repetition of nothing")
        if c == "\\":
            c = self._next()
            if c in ("b", "B"):
                return (_WORD, c == "b")
            return self._escape(c)
        return (_CHAR, ord(c))

    def _escape(self, c):
        """A class or a character after a backslash."""
        if c in ("d", "w", "s"):
            return (_SET, _CLASSES[c], True)
        if c in ("D", "W", "S"):
            return (_SET, _CLASSES[c.lower()], False)
        if c in _CONTROLS:
            return (_CHAR, _CONTROLS[c])
        if c == "c":
            return (_CHAR, ord(self._next()) & 31)
        if c == "x":
            return (_CHAR, self._hex(2))
        if c == "u":
            if self._peek() == "{":
                end = self.text.find("}", self.at)
                self.at += 1
                code = self._hex(end - self.at)
                self.at += 1
                return (_CHAR, code)
            return (_CHAR, self._hex(4))
        if c in ("p", "P", "k") or "1" <= c <= "9":
            raise PatternError("\\" + c)
        if c != "_" and _in(ord(c), _WORDS):
            raise PatternError("the escape \\" + c)
        return (_CHAR, ord(c))

    def _hex(self, digits):
        text = self.text[self.at : self.at + max(0, digits)]
        if not 0 < digits <= 6 or len(text) < digits or not all(c in "0123456789abcdefABCDEF" for c in text):
            raise PatternError("a malformed escape")
        self.at += digits
        return int(text, 16)

    def _class(self):
        wanted = True
        if self._peek() == "^":
            self.at += 1
            wanted = False
        ranges = []
        while True:
            c = self._next()
            if c == "]":
                return (_SET, tuple(ranges), wanted)
            first = self._member(c)
            if first[0] == _SET:
                ranges.extend(first[1] if first[2] else _others(first[1]))
                continue
            low = high = first[1]
            if self._peek() == "-" and self.text[self.at + 1 : self.at + 2] not in ("]", ""):
                self.at += 1
                last = self._member(self._next())
                if last[0] == _SET:
                    ranges.extend((low, low, 45, 45))
                    ranges.extend(last[1] if last[2] else _others(last[1]))
                    continue
                high = last[1]
                if high < low:
                    raise PatternError("a range that ends before it begins")
            ranges.extend((low, high))

    def _member(self, c):
        if c != "\\":
            return (_CHAR, ord(c))
        c = self._next()
        return (_CHAR, 8) if c == "b" else self._escape(c)


def _others(ranges):
    found = []
    low = 0
    for i in range(0, len(ranges), 2):
        if ranges[i] > low:
            found.extend((low, ranges[i] - 1))
        low = ranges[i + 1] + 1
    found.extend((low, _LAST))
    return found


def _is_number(text):
    return 0 < len(text) <= 6 and all("0" <= c <= "9" for c in text)
