#!/usr/bin/python3
"""How fast pexpect finds prompts in a file, as LAVA sets it up (lava_dispatcher/shell.py): prints "seconds hits".

usage: measure_pexpect.py memory|pty FILE PATTERNS (a file, one pattern a line)
"""
import os
import sys
import time

import pexpect
import pexpect.fdpexpect

source, name, patterns = sys.argv[1:]
with open(patterns) as f:
    patterns = f.read().splitlines()
options = dict(timeout=600, searchwindowsize=4000, maxread=2000, encoding="utf-8", codec_errors="replace")
start = time.monotonic()
if source == "memory":
    child = pexpect.fdpexpect.fdspawn(os.open(name, os.O_RDONLY), **options)
else:
    child = pexpect.spawn("/bin/sh", ["-c", 'stty raw; exec cat "$0"', name], **options)
hits = 0
compiled = child.compile_pattern_list([pexpect.EOF] + patterns)
while child.expect_list(compiled) != 0:
    hits += 1
print(time.monotonic() - start, hits)
