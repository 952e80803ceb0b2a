"""Jobs that a worker process can import."""

import os
import time

from allocator.errors import AuditFailed
from models.solve import Progress


def double(number, progress=None, stop=None):
    if progress is not None:
        progress(Progress(0.0, 4.0, 3.0, "doubling"))
    return 2 * number


def slowly_double(number, progress=None, stop=None):
    result = double(number, progress, stop)
    time.sleep(1.0)
    return result


def chatter(number, progress=None, stop=None):
    for word in range(number):
        progress(Progress(0.0, None, None, str(word), "a plan"))
    return number


def fail(words, progress=None, stop=None):
    raise AuditFailed(words)


def until_stopped(number, progress=None, stop=None):
    while not stop():
        time.sleep(0.01)
    return number


def die(number, progress=None, stop=None):
    os._exit(3)
