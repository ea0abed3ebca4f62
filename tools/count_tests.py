#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Counts the single tests in meson's logs, and says what failed and why what was skipped was skipped.

usage: count_tests.py TESTLOG.JSON...

One meson test is many tests: a Check program says how many checks it made, a conformance program prints a line
for each. The last line printed is "N passed, N failed, N skipped"; the exit status is 1 when anything failed.
"""
import json
import re
import sys


def count_check(text):
    """(passed, failed) of a Check program (check(3)), or None."""
    found = re.findall(r'^\d+%: Checks: (\d+), Failures: (\d+), Errors: (\d+)$', text, re.M)
    if not found:
        return None
    total = sum(int(f[0]) for f in found)
    bad = sum(int(f[1]) + int(f[2]) for f in found)
    return total - bad, bad


def read_lines(text):
    """(passed, failed, [(name, reason)]) of a program that prints TAP, or None."""
    lines = re.findall(r'^(ok|not ok) \d+ - (.*?)(?: # SKIP (.*))?$', text, re.M)
    if not lines:
        return None
    skips = [(name, reason) for word, name, reason in lines if reason]
    failed = sum(word == 'not ok' for word, _, _ in lines)
    return len(lines) - failed - len(skips), failed, skips


def last_line(text):
    lines = [line.strip() for line in text.strip().splitlines()]
    return re.sub(r'^.*# SKIP ', '', lines[-1]) if lines else 'no reason given'


def failures(text):
    """The parts of the output that tell of failures; all of it where none can be told."""
    parts = re.findall(r'^not ok .*(?:\n#.*)*', text, re.M) or re.findall(r'^.*:[FE]:.*$', text, re.M)
    return '\n'.join(parts) or text


def judge(test):
    """(passed, failed, skips) of one meson test, having printed its failures."""
    text = test.get('stdout', '') + '\n' + test.get('stderr', '')
    name = test['name']
    if test['result'] == 'SKIP':
        return 0, 0, [(name, last_line(text))]
    counted = read_lines(test.get('stdout', '')) or (*(count_check(text) or (0, 0)), [])
    passed, failed, skips = counted
    if test['result'] == 'OK':
        return max(passed, 0 if skips else 1), failed, [(f'{name}: {s}', why) for s, why in skips]
    print(f'--- {name}: {test["result"]}')
    print(failures(text).strip())
    return passed, max(failed, 1), [(f'{name}: {s}', why) for s, why in skips]


def main():
    passed, failed, skips = 0, 0, []
    for path in sys.argv[1:]:
        with open(path, encoding='utf-8', errors='replace') as log:
            for line in log:
                result = judge(json.loads(line))
                passed, failed, skips = passed + result[0], failed + result[1], skips + result[2]
    for name, reason in skips:
        print(f'skipped: {name}: {reason}')
    print(f'{passed} passed, {failed} failed, {len(skips)} skipped')
    sys.exit(1 if failed or passed == 0 else 0)


main()
