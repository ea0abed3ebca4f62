#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What is printed, against the JSON schemas of the specification: features, state, and the config of spec.

The schemas are found in KOGG_SHARED, or in the folder shared/ beside the source tree.
"""
import csv
import json
import os
import pathlib
import subprocess
import warnings

import harness
from harness import Bundle, Container, Runtime, cases, expect

SHARED = pathlib.Path(os.environ.get('KOGG_SHARED', harness.SOURCE.parent / 'shared')) / 'spec'
SCHEMAS = SHARED / 'schema'

try:
    warnings.simplefilter('ignore', DeprecationWarning)
    import jsonschema
except ImportError:
    harness.skip_all('python3-jsonschema is not installed')
if not SCHEMAS.exists():
    harness.skip_all(f'there is no folder {SCHEMAS} (KOGG_SHARED)')


def errors(name, document):
    """What the schema says against the document. Its references are to files beside it."""
    path = SCHEMAS / f'{name}-schema.json'
    schema = json.loads(path.read_text())
    validator = jsonschema.Draft4Validator(schema, resolver=jsonschema.RefResolver(path.as_uri(), schema))
    return [f'/{"/".join(map(str, e.absolute_path))}: {e.message}' for e in validator.iter_errors(document)]


def expect_fields(name, document):
    """Each field of the specification's own list is in the document."""
    count = 0
    with open(SHARED / 'requirements.tsv', newline='') as file:
        for row in csv.DictReader(file, delimiter='\t', quoting=csv.QUOTE_NONE):
            if row['level'] != 'FIELD' or not row['target'].startswith(name + ':/'):
                continue
            value = document
            for step in row['target'].removeprefix(name + ':/').split('/'):
                assert step in value, f'{row["target"]} is missing'
                value = value[step]
            count += 1
    assert count > 5, f'{count} fields of {name} in the list'


@cases(('features', 'good/minimal'), ('features', 'good/runc'), ('state', 'good/spec-example'),
       ('config', 'good/minimal'), ('features', 'bad/missing-ociVersionMax'), ('config', 'bad/linux-rdma'),
       ('config', 'bad/linux-hugepage'), ('config', 'bad/linux-netdevice'))
def test_validator(name, fixture):
    """The validator itself: it knows good from bad."""
    document = json.loads((SCHEMAS / 'test' / name / f'{fixture}.json').read_text())
    expect(bool(errors(name, document)), fixture.startswith('bad'), f'errors in {fixture}')


def test_features():
    features = json.loads(Runtime().ok('features').out)
    expect(errors('features', features), [], 'errors')
    expect_fields('features', features)


def test_state():
    bundle = Bundle()
    bundle.config['annotations'] = {'org.example.key': 'value'}
    with Container(Runtime(), bundle) as container:
        for step, status in ((container.create, 'created'), (container.start, 'running'),
                             (container.finish, 'stopped')):
            step()
            state = json.loads(container.runtime.ok('state', container.id).out)
            expect(state['status'], status, 'status')
            expect(errors('state', state), [], f'errors when {status}')
            if status == 'running':
                expect_fields('state', state)
        container.delete()


def test_state_of_hooks():
    bundle = Bundle()
    bundle.config['annotations'] = {'org.example.key': 'value'}
    told = bundle.path / 'told'
    hook = {'path': '/bin/sh', 'args': ['sh', '-c', f'cat >> {told}; echo >> {told}']}
    bundle.config['hooks'] = {kind: [hook] for kind in ('createRuntime', 'poststart', 'poststop')}
    with Container(Runtime(), bundle) as container:
        container.run()
        container.finish()
        container.delete()
    states = [json.loads(line) for line in told.read_text().splitlines()]
    expect(len(states), 3, 'hooks')
    for state in states:
        expect(errors('state', state), [], f'errors when {state["status"]}')


@cases(('spec',), ('spec --rootless', '--rootless'))
def test_config(_name, *options):
    folder = Bundle(rootfs=False).path
    (folder / 'config.json').unlink(missing_ok=True)
    subprocess.run([harness.KOGG, 'spec', *options], cwd=folder, check=True)
    expect(errors('config', json.loads((folder / 'config.json').read_text())), [], 'errors')


harness.main(__name__)
