#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fails when the tree loses its shape: layers, header discipline, sizes.

usage: check_shape.py SOURCE_ROOT
"""
import pathlib
import re
import subprocess
import sys

# A folder may include itself and the folders listed for it, nothing else.
LAYERS = {
    'base': [],
    'libspec': ['base'],
    'hooks': ['libspec', 'base'],
    'libcontainer/kernel': ['libspec', 'base'],
    'libcontainer': ['libcontainer/kernel', 'hooks', 'libspec', 'base'],
    'cmd': ['libcontainer', 'libspec', 'base'],
}
FILE_MAX = 700
FUNCTION_MAX = 60
BANNED = r'\b(strcpy|strcat|sprintf|vsprintf|strncpy|strtok|atoi|atol|alloca|usleep|system|longjmp)\s*\('


def layer(path):
    """The longest key of LAYERS that PATH lies under; tests count as their folder."""
    return max((k for k in LAYERS if path.startswith(k + '/')), key=len, default=None)


def check_includes(name, text):
    includes = re.findall(r'^#include "([^"]+)"', text, re.M)
    if name.endswith('.c') and '/tests/' not in name and '/fuzz/' not in name:
        own = name[:-2] + '.h'
        if pathlib.Path(root, own).exists() and includes[:1] != [own]:
            yield f'{name}: must include its own header first'
    for target in includes:
        here, there = layer(name), layer(target)
        if there is None:
            yield f'{name}: "{target}" is not a path from the source root'
        elif there != here and there not in LAYERS[here]:
            yield f'{name}: {here}/ may not include {there}/'


def check_functions(names):
    tags = subprocess.run(
        ['ctags', '--languages=C', '--kinds-c=f', '--fields=ne', '-o', '-', *names],
        cwd=root, capture_output=True, text=True, check=True).stdout
    for match in re.finditer(r'^(\w+)\t(\S+)\t.*\tline:(\d+)\tend:(\d+)', tags, re.M):
        function, name, start, end = match[1], match[2], int(match[3]), int(match[4])
        if end - start + 1 > FUNCTION_MAX:
            yield f'{name}:{start}: {function}() has {end - start + 1} lines, not {FUNCTION_MAX}'


def check_cycles(graph):
    """Modules (a .c and its .h) may not reach themselves through #include."""
    done = set()

    def visit(module, trail):
        if module in trail:
            yield 'cycle: ' + ' -> '.join(trail[trail.index(module):] + [module])
        elif module not in done:
            for target in sorted(graph.get(module, ())):
                yield from visit(target, trail + [module])
            done.add(module)

    for module in sorted(graph):
        yield from visit(module, [])


root = pathlib.Path(sys.argv[1])
files = sorted(str(p.relative_to(root)) for k in LAYERS for p in (root / k).rglob('*.[ch]'))
problems, graph = [], {}
for name in dict.fromkeys(files):
    text = (root / name).read_text()
    problems += check_includes(name, text)
    problems += [f'{name}:{text[:m.start()].count(chr(10)) + 1}: {m[1]}() is banned'
                 for m in re.finditer(BANNED, text)]
    if text.count('\n') > FILE_MAX:
        problems.append(f'{name}: {text.count(chr(10))} lines, not {FILE_MAX}')
    graph.setdefault(name[:-2], set()).update(
        t[:-2] for t in re.findall(r'^#include "([^"]+)"', text, re.M) if t[:-2] != name[:-2])
problems += check_functions(n for n in dict.fromkeys(files) if n.endswith('.c'))
problems += check_cycles(graph)
print('\n'.join(sorted(set(problems))))
sys.exit(bool(problems))
