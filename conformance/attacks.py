# SPDX-License-Identifier: Apache-2.0
"""What the test_hostile_* share: bundles with hostile things in them, and races that are certain to be run."""
import os
import shutil

import harness
from harness import Bundle

HOSTILE = os.environ.get('KOGG_HOSTILE', str(harness.SOURCE / 'build/conformance/hostile'))
STRACE = '/usr/bin/strace'


def hostile_bundle(change=lambda config: None, args=None):
    bundle = Bundle()
    shutil.copy(HOSTILE, bundle.rootfs / 'bin/hostile')
    if args:
        bundle.config['process']['args'] = args
    change(bundle.config)
    return bundle


def delayed(call, seconds, occurrence=None):
    """A wrapper that has each process of the runtime wait before the system call CALL."""
    when = f':when={occurrence}' if occurrence else ''
    return [STRACE, *harness.TRACEABLE, '-f', '-qq', '-o', '/dev/null', '-e', f'trace={call}',
            '-e', f'inject={call}:delay_enter={int(seconds * 1000000)}{when}']


def link(bundle, name, target):
    (bundle.rootfs / name).symlink_to(target)
