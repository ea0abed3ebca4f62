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

The files in [contrib/](../contrib) configure the engines in these tests. The calls of cri-o, which Debian doesn't have,
are made by `conformance/test_cri_o.py` and a real conmon.

'''


def outputs(path):
    """The texts in one file, each of one engine."""
    text = pathlib.Path(path).read_text()
    if not path.endswith('.json'):
        return [text]
    return [json.loads(line).get('stdout', '') for line in text.splitlines()]


def read(text):
    """(title, {case: result}) of one engine, or None; a result is "yes", "no", or why it was skipped."""
    title = re.search(r'^# ((?:podman|Docker|containerd) .*)$', text, re.M)
    if not title:
        return None
    results = {}
    for word, name, reason in re.findall(r'^(ok|not ok) \d+ - \S+ (\S+)(?: # SKIP (.*))?$', text, re.M):
        results[name] = reason or {'ok': 'yes', 'not ok': 'no'}[word]
    return title[1], results


def main():
    engines = [found for path in sys.argv[1:] for found in map(read, outputs(path)) if found]
    names = list(dict.fromkeys(name for _, results in engines for name in results))
    reasons = []
    print(HEAD, end='')
    for title, results in engines:
        count = sum(result == 'yes' for result in results.values())
        print(f'- {title}: {count} of {len(results)} cases')
    print('\n| case |', ' | '.join(title.split(',')[0] for title, _ in engines), '|')
    print('|---' * (len(engines) + 1) + '|')
    for name in names:
        cells = [results.get(name, '–') for _, results in engines]
        for i, cell in enumerate(cells):
            if cell not in ('yes', 'no', '–'):
                if cell not in reasons:
                    reasons.append(cell)
                cells[i] = f'({reasons.index(cell) + 1})'
        print(f'| {name} |', ' | '.join(cells), '|')
    for i, reason in enumerate(reasons, 1):
        print(f'\n({i}) not run: {reason}')


if __name__ == '__main__':
    main()
