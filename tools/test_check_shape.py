#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Shows once that check_shape.py notices each thing it is there for, and is content with a good tree.

usage: test_check_shape.py CHECK_SHAPE.PY
"""
import pathlib
import subprocess
import sys
import tempfile

SPDX = '/* SPDX-License-Identifier: Apache-2.0 */\n'

# What goes wrong -> (files, words of the complaint; none: the tree is good)
TREES = {
    'good': ({'base/a.h': 'int a(void);\n', 'base/a.c': '#include "base/a.h"\n'}, None),
    'wrong direction': ({'base/a.c': '#include "cmd/b.h"\n', 'cmd/b.h': ''}, 'base/ may not include cmd/'),
    'beside': ({'hooks/a.c': '#include "libcontainer/kernel/b.h"\n', 'libcontainer/kernel/b.h': ''}, 'may not include'),
    'not from the root': ({'base/a.c': '#include "a.h"\n', 'base/b.h': ''}, 'not a path from the source root'),
    'own header second': ({'base/a.c': '#include "base/b.h"\n#include "base/a.h"\n', 'base/a.h': '', 'base/b.h': ''},
                          'must include its own header first'),
    'cycle': ({'base/a.h': '#include "base/b.h"\n', 'base/b.h': '#include "base/a.h"\n'}, 'cycle: '),
    'long file': ({'base/a.c': '\n' * 700}, 'lines, not 700'),
    'long function': ({'base/a.c': 'int a(void)\n{\n' + '\n' * 60 + '}\n'}, 'lines, not 60'),
    'many parameters': ({'base/a.c': 'int a(int b, int c, int d, int e, int f, int g, struct error *err)\n{\n}\n'},
                        '6 parameters'),
    'five and the error': ({'base/a.c': 'int a(int b, int c, int d, int e, int f, struct error *err)\n{\n}\n'}, None),
    'banned call': ({'cmd/a.c': 'void a(char *b)\n{\n\tstrcpy(b, b);\n}\n'}, 'strcpy is banned'),
    'banned in a comment': ({'cmd/a.c': '/* not strcpy(3) nor "strcpy(" */\n'}, None),
    'printing': ({'base/a.c': 'void a(void)\n{\n\tprintf("x");\n}\n'}, 'is for cmd/ alone'),
    'exit': ({'libcontainer/a.c': 'void a(void)\n{\n\texit(1);\n}\n'}, 'is for cmd/ alone'),
    'printing in cmd': ({'cmd/a.c': 'void a(void)\n{\n\tprintf("x");\n}\n'}, None),
    'test not run': ({'base/tests/test_a.c': '', 'base/tests/test_b.c': '', 'base/meson.build': "['b']"},
                     'base/tests/test_a.c: is not run'),
    'unfinished': ({'base/a.c': '/* TO' 'DO: the rest */\n'}, 'unfinished'),
}


def complaint(checker, files):
    with tempfile.TemporaryDirectory() as root:
        for name, text in files.items():
            path = pathlib.Path(root, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(SPDX + text)
        result = subprocess.run([sys.executable, checker, root], capture_output=True, text=True, check=False)
        return (result.returncode, result.stdout + result.stderr)


def main():
    failed = 0
    for number, (name, (files, wanted)) in enumerate(TREES.items(), 1):
        status, text = complaint(sys.argv[1], files)
        good = (status == 0) if wanted is None else (status == 1 and wanted in text)
        failed += not good
        print(f'{"ok" if good else "not ok"} {number} - {name}')
        if not good:
            print('# ' + text.strip().replace('\n', '\n# '))
    sys.exit(failed > 0)


main()
