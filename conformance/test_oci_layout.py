#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Images without an engine: an OCI layout made and unpacked by umoci and skopeo, and a root in layers by overlay."""
import json
import pathlib
import shutil
import subprocess

import harness
from harness import Bundle, Runtime, Skip, expect, run_program, temporary_mount

IMAGE = pathlib.Path(__file__).parent / 'engines/image.sh'


def need(*programs):
    for program in programs:
        if not shutil.which(program):
            raise Skip(f'{program} is not installed')


def tool(*args):
    done = subprocess.run(list(map(str, args)), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, f'{args}: {done.stdout}{done.stderr}'
    return done.stdout


def unpacked(image, *args):
    """The bundle that umoci makes of the image; its config is umoci's but for the cgroup's path."""
    path = harness.tmp / f'b{harness.serial()}'
    tool('umoci', 'unpack', '--image', image, path)
    bundle = Bundle.__new__(Bundle)
    bundle.path, bundle.rootfs = path, path / 'rootfs'
    bundle.config = json.loads((path / 'config.json').read_text())
    bundle.config['process']['terminal'] = False
    bundle.config['process']['args'] = list(args)
    bundle.config['linux']['cgroupsPath'] = f'/{harness.CGROUP_TOP}/c{harness.serial()}'
    return bundle


def output(bundle, status=0):
    answer = run_program(Runtime(), bundle)
    expect(answer.status, status, f'exit status of {answer!r}')
    return answer.out


def layout():
    """An OCI layout that skopeo made of the image, whose tag is "latest"."""
    need('umoci', 'skopeo')
    archive, path = harness.tmp / 'image.tar', harness.tmp / f'layout{harness.serial()}'
    tool(IMAGE, archive, 'localhost/bb:latest')
    tool('skopeo', '--insecure-policy', 'copy', '--quiet', f'docker-archive:{archive}', f'oci:{path}:latest')
    return f'{path}:latest'


def test_unpacked_image():
    bundle = unpacked(layout(), 'sh', '-c', 'echo $PATH; cat /etc/group')
    expect(output(bundle), '/bin\nroot:x:0:\nuser:x:1000:\n', 'output')


def test_second_layer():
    """A change in the root becomes a layer of its own; unpacked again, both are there."""
    image = layout()
    bundle = unpacked(image, 'sh', '-c', 'echo changed >/etc/motd; rm /bin/wget')
    output(bundle)
    tool('umoci', 'repack', '--image', image, bundle.path)
    manifest = json.loads(tool('skopeo', 'inspect', '--raw', f'oci:{image}'))
    expect(len(manifest['layers']), 2, 'layers')
    expect(output(unpacked(image, 'sh', '-c', 'cat /etc/motd; ls /bin/wget'), status=1), 'changed\n', 'output')


def test_config_of_the_image():
    """User, working directory and environment, as umoci translates them."""
    image = layout()
    tool('umoci', 'config', '--image', image, '--config.user', '1000:1000', '--config.workingdir', '/tmp',
         '--config.env', 'A=b')
    expect(output(unpacked(image, 'sh', '-c', 'id -u; pwd; echo $A')), '1000\n/tmp\nb\n', 'output')


def test_root_in_layers():
    """An overlay as engines make it: what the container changes is in the upper layer, the lower ones stay."""
    bundle = Bundle()
    lower, upper, work, root = (bundle.path / name for name in ('lower', 'upper', 'work', 'merged'))
    for path in (lower, upper, work, root):
        path.mkdir()
    (lower / 'etc').mkdir()
    (lower / 'etc/layer').write_text('lower\n')
    bundle.config['process']['args'] = ['sh', '-c', 'cat /etc/layer; echo upper >/etc/layer; rm /bin/wc']
    bundle.config['root']['path'] = 'merged'
    options = f'lowerdir={lower}:{bundle.rootfs},upperdir={upper},workdir={work}'
    temporary_mount('overlay', root, 'overlay', 0, options)
    expect(output(bundle), 'lower\n', 'output')
    expect((root / 'etc/layer').read_text(), 'upper\n', 'changed file')
    expect((lower / 'etc/layer').read_text(), 'lower\n', 'lower layer')
    expect((bundle.rootfs / 'bin/wc').is_symlink(), True, 'the file below the one removed')


harness.main(__name__)
