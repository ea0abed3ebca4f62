# SPDX-License-Identifier: Apache-2.0
"""The benchmark's results as CSV, Markdown and a plot."""
import csv
import os
import pathlib
import platform
import statistics


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def ratio(values, others):
    """The median ratio of runs that were made side by side; of the medians where their numbers differ."""
    if len(values) == len(others):
        return statistics.median(a / b for a, b in zip(values, others))
    return statistics.median(values) / statistics.median(others)


def machine(view):
    model = next((line.split(': ')[1] for line in pathlib.Path('/proc/cpuinfo').read_text().splitlines()
                  if line.startswith('model name')), 'unknown processor')
    return (f'{model}, {os.cpu_count()} cores, Linux {platform.release()}, cgroup {view}, '
            f'load {os.getloadavg()[0]:.1f} at the end')


def write_csv(results, path):
    with open(path, 'w', newline='') as file:
        writer = csv.writer(file)
        writer.writerow(('case', 'subject', 'microseconds'))
        for case, subjects in results.items():
            for subject, values in subjects.items():
                writer.writerows((case, subject, f'{value:.1f}') for value in values)


def table_of_times(results, names):
    """One row a case and subject: median, p99 and min in milliseconds, ratio to the floor and to each peer."""
    peers = [n for n in names if not n.startswith('kogg')]
    yield '| case | | median ms | p99 | min | ' + ' | '.join(f'÷ {n}' for n in peers) + ' |'
    yield '|---|---|--:|--:|--:|' + '--:|' * len(peers)
    for case, subjects in results.items():
        for name in names:
            values = subjects.get(name)
            if not values:
                continue
            ratios = [f'{ratio(values, subjects[p]):.2f}' if subjects.get(p) and p != name else ''
                      for p in peers] if name.startswith('kogg') else [''] * len(peers)
            yield (f'| {case} | {name} | {statistics.median(values) / 1e3:.2f} | {percentile(values, .99) / 1e3:.2f} '
                   f'| {min(values) / 1e3:.2f} | ' + ' | '.join(ratios) + ' |')


def table_of_costs(costs):
    commands = list(next(iter(costs.values())))
    yield '| | ' + ' | '.join(commands) + ' |'
    yield '|---|' + '---|' * len(commands)
    for name, row in costs.items():
        yield f'| {name}: peak KiB / page faults | ' + ' | '.join(f'{row[c][0]} / {row[c][1]}' for c in commands) + ' |'
        yield (f'| {name}: system calls / processes / bytes read | '
               + ' | '.join('{} / {} / {}'.format(*row[c][2]) if row[c][2] else '' for c in commands) + ' |')


def write_markdown(results, costs, limits, notes, view, path):
    names = sorted({n for subjects in results.values() for n in subjects},
                   key=lambda n: (not n.startswith('kogg'), n != 'floor', n))
    lines = [machine(view), '', *table_of_times(results, names)]
    if costs:
        lines += ['', *table_of_costs(costs)]
    if limits:
        lines += ['', 'Smallest memory limit in which `true` starts 5 times of 5: '
                  + ', '.join(f'{name} {kib} KiB' for name, kib in limits.items())]
    if notes:
        lines += ['', *(f'- {note}' for note in notes)]
    text = '\n'.join(lines) + '\n'
    pathlib.Path(path).write_text(text)
    return text


def write_plot(results, path):
    """Medians of each case beside one another, if any has more than one; needs matplotlib."""
    import matplotlib
    matplotlib.use('svg')
    from matplotlib import pyplot
    cases = [c for c in results if len(results[c]) > 1]
    if not cases:
        return
    names = sorted({n for c in cases for n in results[c]}, key=lambda n: (n != 'floor', not n.startswith('kogg'), n))
    figure, axes = pyplot.subplots(figsize=(9, 0.5 * len(cases) + 1.5))
    height = 0.8 / len(names)
    for i, name in enumerate(names):
        rows = [(y, statistics.median(results[c][name]) / 1e3) for y, c in enumerate(cases) if results[c].get(name)]
        axes.barh([y + i * height for y, _ in rows], [ms for _, ms in rows], height, label=name)
    axes.set_yticks([y + 0.4 - height / 2 for y in range(len(cases))], cases, fontsize=8)
    axes.invert_yaxis()
    axes.set_xscale('log')
    axes.set_xlabel('milliseconds (median, logarithmic)')
    axes.legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(path)
