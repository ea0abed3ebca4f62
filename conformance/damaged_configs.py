#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Configs of engines, damaged at random, through create and start.

usage: damaged_configs.py [COUNT [SEED]]       (default: 100, 1)

Each ends in one of two ways: an error that says what is wrong, and nothing left; or a container in which is in force
what its config says, as engine_configs.py has it. For a guest: on a host only what has a mount namespace of its own is
tried. A seed and a number make the same config again.
"""
import copy
import json
import os
import random
import re
import sys

import compare
import engine_configs
import harness
from harness import CGROUP_TOP, Bundle, Container, Report, Runtime, expect_tree, run_test

VALUES = [None, True, False, 0, -1, 1, 7, 2**31, 2**32 - 1, 2**32, 2**63, 2**64 - 1, 2**64, 1.5, '', 'x', '/', '.', '..',
          '/../..', '/proc/self/fd/3', '/proc/1/root', 'a' * 300, 'a' * 5000, 'tab\there', 'line\nhere', 'ä', [], {}, ['x'],
          {'a': 'b'}, [[]], 'SCMP_ACT_ALLOW', 'CAP_SYS_ADMIN', 'RLIMIT_NOFILE', 'mount', 'rbind', 'rw', '99999999999999999999']
VAGUE = r'unexpected message|malformed|success|no error|unknown error|errno 0|\(null\)'


class Quiet(Report):
    """Prints what fails, and every hundredth line."""

    def line(self, result, name, detail=''):
        if result == 'passed' and (sum(self.counts.values()) + 1) % 100:
            self.counts[result] += 1
        else:
            super().line(result, name, detail)


def places(node, path=()):
    """All places in a document: the container and the key."""
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in list(items):
        yield node, key
        yield from places(value, (*path, key))


def damage_tree(chance, config):
    node, key = chance.choice(list(places(config)))
    kind = chance.randrange(6)
    if kind == 0:
        del node[key]
    elif kind == 1:
        node[key] = copy.deepcopy(chance.choice(VALUES))
    elif kind == 2:
        other, there = chance.choice(list(places(config)))
        node[key] = copy.deepcopy(other[there])
    elif kind == 3 and isinstance(node, list):
        node.append(copy.deepcopy(node[key]))
    elif kind == 4 and isinstance(node[key], str):
        at = chance.randrange(len(node[key]) + 1)
        node[key] = node[key][:at] + chance.choice(['x', '/', '..', '\0', ':', '=', ' ', '9']) + node[key][at + chance.randrange(2):]
    elif kind == 5 and isinstance(node[key], int):
        node[key] = node[key] + chance.choice([-1, 1, 2**32, -2**32]) if chance.randrange(2) else -node[key]
    else:
        node[key] = copy.deepcopy(chance.choice(VALUES))


def damage_text(chance, text):
    at = chance.randrange(len(text))
    kind = chance.randrange(4)
    if kind == 0:
        return text[:at]
    if kind == 1:
        return text[:at] + chance.randbytes(chance.randrange(1, 4)) + text[at + 1:]
    if kind == 2:
        end = at + chance.randrange(1, 200)
        return text[:at] + text[end:]
    return text[:at] + text[at:at + 100] + text[at:]


def sources():
    """The engines' configs that this machine can carry out as they are."""
    rows = [row for row in engine_configs.load_table() if row['kind'] == 'config' and
            row['place'] in ('host', engine_configs.PLACE) and not row['result'].startswith('error')]
    found = []
    for row in rows:
        path = engine_configs.SHARED / 'engine-configs' / row['file']
        path = path if path.exists() else engine_configs.HERE / 'configs' / row['file']
        if path.exists():
            found.append((row, path.read_text()))
    return found


def may_run(config):
    """Where this is no guest nothing may reach the host's mounts or groups."""
    if 'guest' in engine_configs.PLACE:
        return True
    try:
        namespaces = config['linux']['namespaces']
        return {'type': 'mount'} in namespaces and config['linux'].get('cgroupsPath', '').startswith(f'/{CGROUP_TOP}/')
    except (AttributeError, KeyError, TypeError):
        return False


def call_plainly(bundle):
    """For a config without a process that could be asked: create, and what came of it."""
    runtime, tree = Runtime(), bundle.save().tree()
    answer = runtime.call('create', '--bundle', bundle.path, 'damaged')
    if answer.status:
        check_error(answer)
        expect_tree(bundle, tree)
    else:
        runtime.ok('state', 'damaged')
        runtime.ok('delete', '--force', 'damaged')
    return 'refused' if answer.status else 'created'


def check_error(answer):
    message = answer.error()['msg']
    assert len(message) > 10 and not re.search(VAGUE, message, re.I), f'vague: {message!r}'


def is_askable(config, whole):
    """Whether the probe is the program, with calls enough, and the comparison knows what it should see.

    That was made for what engines write: it does not know which of several devices, mounts, words or sets of capabilities
    the kernel leaves out by its own rules.
    """
    try:
        return (all(config['process'].get(name) == whole['process'].get(name)
                    for name in ('args', 'cwd', 'user', 'capabilities', 'terminal', 'oomScoreAdj'))
                and all(config['linux'].get(name) == whole['linux'].get(name) for name in ('seccomp', 'devices', 'cgroupsPath'))
                and config['linux']['resources']['devices'] == whole['linux']['resources']['devices']
                and all(config.get(name) == whole.get(name) for name in ('root', 'mounts')))
    except (KeyError, TypeError, AttributeError):
        return False


def without_nulls(node):
    """null is no value (docs/DEVIATIONS.md), and the comparison knows only values."""
    if isinstance(node, dict):
        return {name: without_nulls(value) for name, value in node.items() if value is not None}
    return [without_nulls(value) for value in node] if isinstance(node, list) else node


def try_container(bundle, rewrite):
    """Create, start, and compare what the probe sees. Returns how far it came."""
    tree = bundle.save().tree()
    with Container(Runtime(), bundle) as container:
        answer = container.try_create()
        if answer.status:
            check_error(answer)
            expect_tree(bundle, tree)
            return 'refused'
        container.take_console()
        container.pid = container.runtime.state(container.id)['pid']
        answer = container.runtime.call('start', container.id)
        if answer.status:
            check_error(answer)
            return 'not started'
        try:
            config = without_nulls(bundle.config)
            seen = container.ask(*compare.requests(config))
        except (BrokenPipeError, AssertionError):
            # With a limit of nothing, say, the program ends by itself.
            container.wait_status('stopped')
            return 'ended'
        host = engine_configs.host_facts(config, bundle, rewrite, container)
        problems = compare.compare(config, seen, host)
    assert not problems, '\n'.join(problems)
    return 'in force'


def try_one(seed, number, all_sources, ends):
    chance = random.Random(f'{seed}/{number}')
    row, text = chance.choice(all_sources)
    bundle = Bundle(json.loads(text))
    rewrite = engine_configs.Rewrite(bundle.config, bundle, row['rewrites'].split(', '))
    try:
        rewrite.apply()
        engine_configs.own_root(bundle)
        engine_configs.place_probe(bundle.rootfs, bundle.config['process'])
        bundle.config.pop('hooks', None)
        whole = copy.deepcopy(bundle.config)
        for _ in range(chance.choice([1, 1, 1, 2, 3])):
            damage_tree(chance, bundle.config)
        if chance.randrange(5) == 0:
            bundle.config = damage_text(chance, json.dumps(bundle.config).encode())
        if not may_run(bundle.config):
            end = 'left out'
        elif is_askable(bundle.config, whole):
            end = try_container(bundle, rewrite)
        else:
            end = call_plainly(bundle)
    finally:
        rewrite.close()
    ends[end] = ends.get(end, 0) + 1


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else int(os.environ.get('KOGG_DAMAGED', '100'))
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    harness.setup()
    report, ends = Quiet(), {}
    try:
        all_sources = sources()
        if not all_sources:
            harness.skip_all(f'there are no configs for {engine_configs.PLACE} in {engine_configs.SHARED}')
        print(f'# {len(all_sources)} configs, seed {seed}', flush=True)
        for number in range(count):
            run_test(report, f'damaged {seed}/{number}', try_one, seed, number, all_sources, ends)
    finally:
        harness.teardown()
    print('# ' + ', '.join(f'{ends[end]} {end}' for end in sorted(ends)))
    sys.exit(report.end())


if __name__ == '__main__':
    main()
