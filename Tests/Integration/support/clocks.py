"""Clocks on the wall that are wrong, for single processes."""

import shutil
from pathlib import Path

from .node import Place
from .processes import run

#: What tells the time to programs that say `clock_gettime`, `gettimeofday` or `time`. libfaketime would
#: do for most, but it changes the environment before Swift has looked for its arguments.
SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

static long ahead(void) { return atol(getenv("CLOCK_AHEAD")); }

int clock_gettime(clockid_t clock, struct timespec *time) {
  static int (*real)(clockid_t, struct timespec *);
  if (!real) *(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
  int result = real(clock, time);
  if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
    time->tv_sec += ahead();
  return result;
}

int gettimeofday(struct timeval *time, void *zone) {
  struct timespec now;
  (void)zone;
  int result = clock_gettime(CLOCK_REALTIME, &now);
  time->tv_sec = now.tv_sec;
  time->tv_usec = now.tv_nsec / 1000;
  return result;
}

time_t time(time_t *result) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (result) *result = now.tv_sec;
  return now.tv_sec;
}
"""


class Clocks:
    """Makes places where it is another time."""

    def __init__(self, folder: Path) -> None:
        compiler = shutil.which("cc") or shutil.which("clang")
        self.can = compiler is not None
        if compiler is None:
            return
        source, self._library = folder / "clock.c", folder / "clock.so"
        source.write_text(SHIM)
        run([compiler, "-shared", "-fPIC", "-o", self._library, source, "-ldl"])

    def ahead(self, seconds: int) -> Place:
        """Where it is so much later; what measures how long something takes is right."""
        return Place(enter=("env", f"LD_PRELOAD={self._library}", f"CLOCK_AHEAD={seconds}"))
