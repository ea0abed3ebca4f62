#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Makes docs/ENGINES.md from what the engines' tests printed.

usage: table.py FILE...
   FILE is the output of run.sh, or meson's log of such tests (meson-logs/engines.json)
"""
import json
import pathlib
import re
import sys

HEAD = '''# Engines

What real engines do with kogg as their only runtime: the output of `conformance/engines/run.sh`, put together by
`conformance/engines/table.py`. A case is a call of the engine's own command line, or for `cri-` of its socket; what
each does stands in `conformance/engines/*.sh` and `cri.py`. "–": the engine has no such case.

The files in [contrib/](../contrib) configure the engines in these tests. The newest engines are those of Debian sid, run
by `conformance/engines/newest.sh` in a root of their own. cri-o, which Debian doesn't have, was built from its sources for
the run shown here; without it `conformance/test_cri_o.py` makes its calls, with a real conmon. The tables of guests are
from `reboot.sh` (the machine goes down while containers run) and `guest.sh` (Debian trixie with systemd, whose cgroup driver
the engines use, and with AppArmor or SELinux in force; and podman in units of systemd, and of a normal user).

'''


def outputs(path):
    """The texts in one file, each of one engine."""
    text = pathlib.Path(path).read_text()
    if path.endswith('.json'):
        text = ''.join(json.loads(line).get('stdout', '') for line in text.splitlines())
    return re.split(r'^(?=# (?:podman|Docker|containerd|cri-o) .*, Linux )', text, flags=re.M)


def read(text):
    """(title, {case: result}) of one engine, or None; a result is "yes", "no", or why it was skipped."""
    title = re.match(r'# ((?:podman|Docker|containerd|cri-o) .*)$', text, re.M)
    if not title:
        return None
    results = {}
    for word, name, reason in re.findall(r'^(ok|not ok) \d+ - \S+ (\S+)(?: # SKIP (.*))?$', text, re.M):
        results[name] = reason or {'ok': 'yes', 'not ok': 'no'}[word]
    return title[1], results


def read_all(paths):
    """[(engine, place, results)]; what one engine did in one place in several runs is put together."""
    found = {}
    for path in paths:
        for title, results in filter(None, map(read, outputs(path))):
            found.setdefault(tuple(title.split(', ', 1)), {}).update(results)
    return [(engine, place, results) for (engine, place), results in found.items()]


def print_table(engines, reasons):
    names = list(dict.fromkeys(name for _, _, results in engines for name in results))
    print('\n| case |', ' | '.join(engine for engine, _, _ in engines), '|')
    print('|---' * (len(engines) + 1) + '|')
    for name in names:
        cells = [results.get(name, '–') for _, _, results in engines]
        for i, cell in enumerate(cells):
            if cell not in ('yes', 'no', '–'):
                if cell not in reasons:
                    reasons.append(cell)
                cells[i] = f'({reasons.index(cell) + 1})'
        print(f'| {name} |', ' | '.join(cells), '|')


def main():
    engines = read_all(sys.argv[1:])
    reasons = []
    print(HEAD, end='')
    for engine, place, results in engines:
        count = sum(result == 'yes' for result in results.values())
        print(f'- {engine}, {place}: {count} of {len(results)} cases')
    for place in dict.fromkeys(place for _, place, _ in engines):
        print(f'\n## {place}')
        print_table([engine for engine in engines if engine[1] == place], reasons)
    for i, reason in enumerate(reasons, 1):
        print(f'\n({i}) not run: {reason}')


if __name__ == '__main__':
    main()
