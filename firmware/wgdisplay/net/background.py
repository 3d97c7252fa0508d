"""Calls that block for seconds, in a thread of their own, so that the loop goes on."""

from micropython import const

_STACK = const(16 * 1024)  # bytes of stack of such a thread


def start(function, *args):
    """Calls function(*args) in a thread; -> a list that its result, or the exception, will be put into."""
    answer = []

    def work():
        try:
            answer.append(function(*args))
        except Exception as error:
            answer.append(error)

    try:
        import _thread
    except ImportError:
        work()  # a board without threads waits
        return answer
    old = _thread.stack_size(_STACK)
    try:
        _thread.start_new_thread(work, ())
    except OSError:
        work()  # no memory for a thread
    finally:
        _thread.stack_size(old)
    return answer
