#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fails when the tree loses its shape: layers, header discipline, sizes, banned calls.

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
    'conformance': [],
}
# Only these may print or end the process; a test program may, too.
PRINTERS = ('cmd', 'conformance')
FILE_MAX = 700
FUNCTION_MAX = 60
PARAMETERS_MAX = 5  # beside "struct error *err"
SPDX = 'SPDX-License-Identifier: Apache-2.0'
PRINTING = r'\b(printf|puts|putchar|perror|exit|abort|err|errx|warn|warnx)\s*\('
UNFINISHED = r'\b(TODO|FIXME|XXX|HACK)\b'
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


def count_parameters(signature):
    """Those of "(int a, struct error *err)", without the error and the arguments of functions passed in."""
    while re.search(r'\([^()]*\)', signature[1:-1]):
        signature = signature[0] + re.sub(r'\([^()]*\)', '', signature[1:-1]) + signature[-1]
    parameters = [p.strip() for p in signature.strip('()').split(',')]
    return sum(p not in ('', 'void', '...') and not re.fullmatch(r'struct error ?\* ?\w+', p) for p in parameters)


def check_functions(names):
    names = list(names)
    tags = subprocess.run(
        ['ctags', '--languages=C', '--kinds-c=f', '--fields=neS', '-o', '-', *names],
        cwd=root, capture_output=True, text=True, check=True).stdout if names else ''
    for match in re.finditer(r'^(\w+)\t(\S+)\t.*\tline:(\d+)\tsignature:(.*)\tend:(\d+)', tags, re.M):
        function, name, start, end = match[1], match[2], int(match[3]), int(match[5])
        if end - start + 1 > FUNCTION_MAX:
            yield f'{name}:{start}: {function}() has {end - start + 1} lines, not {FUNCTION_MAX}'
        if count_parameters(match[4]) > PARAMETERS_MAX:
            yield f'{name}:{start}: {function}() has {count_parameters(match[4])} parameters, not {PARAMETERS_MAX}'


def without_comments(text):
    """The code alone, line by line, with strings emptied."""
    pattern = r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\''
    return re.sub(pattern, lambda m: '""' if m[0][0] in '"\'' else re.sub(r'[^\n]', '', m[0]), text, flags=re.S)


def check_words(name, text):
    """Calls that are banned everywhere, or below the command line, and words of unfinished work."""
    code = without_comments(text)
    rules = [(text, UNFINISHED, 'stands for unfinished work')]
    if name.endswith(('.c', '.h')):
        rules.append((code, BANNED, 'is banned'))
    if name.endswith(('.c', '.h')) and not name.startswith(PRINTERS) and '/tests/' not in name and '/fuzz/' not in name:
        rules.append((code, PRINTING, 'is for cmd/ alone'))
    for where, words, problem in rules:
        for match in re.finditer(words, where):
            yield f'{name}:{where[:match.start()].count(chr(10)) + 1}: {match[1]} {problem}'


def check_file(path):
    """What holds for every source file, whatever its language."""
    name, text = str(path.relative_to(root)), path.read_text()
    if text.count('\n') > FILE_MAX:
        yield f'{name}: {text.count(chr(10))} lines, not {FILE_MAX}'
    if SPDX not in '\n'.join(text.splitlines()[:3]):
        yield f'{name}: does not begin with the SPDX identifier'
    if path.suffix not in ('.c', '.h') and name != 'tools/check_shape.py':
        yield from check_words(name, text)


def check_tests(folder):
    """A test that nobody runs fails nobody: each file tests/test_X.c or test_X.py is named in its meson.build."""
    build = folder / 'meson.build'
    text = build.read_text() if build.exists() else ''
    for path in sorted([*folder.glob('tests/test_*.c'), *folder.glob('test_*.py')]):
        if f"'{path.stem}'" not in text and f"'{path.stem.removeprefix('test_')}'" not in text:
            yield f'{path.relative_to(root)}: is not run by {build.relative_to(root)}'


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
files = sorted({str(p.relative_to(root)) for k in LAYERS for p in (root / k).rglob('*.[ch]')})
problems, graph = [], {}
for name in files:
    text = (root / name).read_text()
    problems += check_includes(name, text)
    problems += check_words(name, text)
    graph.setdefault(name[:-2], set()).update(
        t[:-2] for t in re.findall(r'^#include "([^"]+)"', text, re.M) if t[:-2] != name[:-2])
for folder in [k for k in LAYERS if '/' not in k] + ['tools', '.ci', 'contrib']:
    for path in sorted((root / folder).rglob('*')):
        if path.suffix in ('.c', '.h', '.py', '.sh') or path.parent.name == '.ci':
            problems += check_file(path)
for folder in LAYERS:
    problems += check_tests(root / folder)
problems += check_functions(n for n in files if n.endswith('.c'))
problems += check_cycles(graph)
print('\n'.join(sorted(set(problems))))
sys.exit(bool(problems))
