# SPDX-License-Identifier: Apache-2.0
"""What stands at systemd's private socket in place of it: enough D-Bus to start, change and stop a scope, and to fail.

The D-Bus Specification, "Message Protocol" and "Authentication Protocol"; org.freedesktop.systemd1(5).
"""
import os
import pathlib
import socket
import struct
import threading

CALL, REPLY, ERROR, SIGNAL = 1, 2, 3, 4
PATH, INTERFACE, MEMBER, ERROR_NAME, REPLY_SERIAL, SENDER, SIGNATURE = 1, 2, 3, 4, 5, 7, 8
FIELD_SIGNATURES = {PATH: 'o', INTERFACE: 's', MEMBER: 's', ERROR_NAME: 's', REPLY_SERIAL: 'u', SENDER: 's', SIGNATURE: 'g'}
MANAGER = '/org/freedesktop/systemd1'
JOB = MANAGER + '/job/7'


def pad(data, alignment):
    return data + bytes(-len(data) % alignment)


def marshal(data, signature, values):
    """DATA with VALUES behind it: numbers, strings, paths and variants of strings."""
    for kind, value in zip(signature, values):
        if kind == 'u':
            data = pad(data, 4) + struct.pack('<I', value)
        elif kind in 'so':
            data = pad(data, 4) + struct.pack('<I', len(value)) + value.encode() + b'\0'
        elif kind == 'g':
            data += bytes([len(value)]) + value.encode() + b'\0'
        elif kind == 'v':
            data = marshal(marshal(data, 'g', ['s']), 's', [value])
        else:
            raise ValueError(kind)
    return data


def message(kind, serial, fields, signature='', values=()):
    if signature:
        fields = {**fields, SIGNATURE: signature}
    body = marshal(b'', signature, values)
    header = b''
    for code, value in fields.items():
        header = marshal(pad(header, 8) + bytes([code]), 'g', [FIELD_SIGNATURES[code]])
        header = marshal(header, FIELD_SIGNATURES[code], [value])
    start = struct.pack('<cBBBIII', b'l', kind, 0, 1, len(body), serial, len(header))
    return pad(start + header, 8) + body


def read_string(data, offset):
    offset += -offset % 4
    length = struct.unpack_from('<I', data, offset)[0]
    return data[offset + 4:offset + 4 + length].decode(), offset + 5 + length


class Received:
    """A call: its number, its member, and the strings at the start of its body."""

    def __init__(self, data):
        _, _, _, _, size, self.serial, length = struct.unpack_from('<cBBBIII', data)
        self.fields = {}
        offset = 16
        while offset < 16 + length:
            offset += -offset % 8
            code, kind = data[offset], chr(data[offset + 2])
            offset += 4
            if kind == 'g':
                self.fields[code], offset = data[offset + 1:offset + 1 + data[offset]].decode(), offset + 2 + data[offset]
            elif kind == 'u':
                offset += -offset % 4
                self.fields[code], offset = struct.unpack_from('<I', data, offset)[0], offset + 4
            else:
                self.fields[code], offset = read_string(data, offset)
        self.body = data[offset + -offset % 8:]
        self.member = self.fields.get(MEMBER)

    def strings(self):
        found, offset = [], 0
        for kind in self.fields.get(SIGNATURE, ''):
            if kind != 's':
                break
            value, offset = read_string(self.body, offset)
            found.append(value)
        return found


class FakeSystemd:
    """Listens at DIRECTORY/systemd/private. ANSWERS maps members to functions that change what is done.

    Each gets the connection and the call, and returns whether it has been dealt with. GROUPS are the directories
    that a unit's start makes and its stop removes, as systemd does.
    """

    def __init__(self, directory, groups=(), answers=None, is_mute=False):
        self.groups, self.is_mute = [pathlib.Path(g) for g in groups], is_mute
        self.answers = {} if answers is None else answers
        self.calls = []
        self.connections = []
        path = pathlib.Path(directory, 'systemd/private')
        path.parent.mkdir(parents=True, exist_ok=True)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen()
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(5)
        for connection in self.connections:
            connection.close()

    def accept(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            if self.is_mute:
                self.connections.append(peer)
            else:
                self.connections.append(Connection(self, peer))

    def members(self):
        return [call.member for call in self.calls]


class Connection(threading.Thread):
    def __init__(self, systemd, peer):
        super().__init__(daemon=True)
        self.systemd, self.peer, self.serial, self.buffer = systemd, peer, 0, b''
        self.pid = struct.unpack('3i', peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]
        self.start()

    def close(self):
        try:
            self.peer.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.join(5)
        self.peer.close()

    def run(self):
        try:
            self.authenticate()
            while True:
                self.serve(Received(self.receive()))
        except (OSError, EOFError):
            pass

    def more(self):
        data = self.peer.recv(65536)
        if not data:
            raise EOFError
        self.buffer += data

    def line(self):
        while b'\r\n' not in self.buffer:
            self.more()
        line, self.buffer = self.buffer.split(b'\r\n', 1)
        return line.lstrip(b'\0').decode()

    def authenticate(self):
        while (line := self.line()) != 'BEGIN':
            words = line.split()
            answer = {'AUTH': 'OK ' + '0' * 32 if len(words) == 3 else 'DATA', 'DATA': 'OK ' + '0' * 32,
                      'NEGOTIATE_UNIX_FD': 'AGREE_UNIX_FD'}.get(words[0], 'ERROR')
            self.peer.sendall(answer.encode() + b'\r\n')

    def receive(self):
        while len(self.buffer) < 16:
            self.more()
        _, _, _, _, size, _, length = struct.unpack_from('<cBBBIII', self.buffer)
        whole = 16 + length + -length % 8 + size
        while len(self.buffer) < whole:
            self.more()
        data, self.buffer = self.buffer[:whole], self.buffer[whole:]
        return data

    def send(self, kind, fields, signature='', values=()):
        self.serial += 1
        self.peer.sendall(message(kind, self.serial, {SENDER: 'org.freedesktop.systemd1', **fields}, signature, values))

    def reply(self, call, signature='', values=()):
        self.send(REPLY, {REPLY_SERIAL: call.serial}, signature, values)

    def refuse(self, call, name, text):
        self.send(ERROR, {REPLY_SERIAL: call.serial, ERROR_NAME: name}, 's', [text])

    def end_job(self, unit, result):
        self.send(SIGNAL, {PATH: MANAGER, INTERFACE: 'org.freedesktop.systemd1.Manager', MEMBER: 'JobRemoved'}, 'uoss',
                  [7, JOB, unit, result])

    def serve(self, call):
        self.systemd.calls.append(call)
        special = self.systemd.answers.get(call.member)
        if special and special(self, call):
            return
        if call.member == 'StartTransientUnit':
            self.start_unit(call)
        elif call.member == 'StopUnit':
            self.stop_unit(call)
        elif call.member == 'Get':
            self.reply(call, 'v', ['of the fake'])
        else:
            self.reply(call)

    def start_unit(self, call):
        for group in self.systemd.groups:
            group.mkdir(parents=True)
            (group / 'cgroup.procs').write_text(str(self.pid))
        self.reply(call, 'o', [JOB])
        self.end_job(call.strings()[0], 'done')

    def stop_unit(self, call):
        for group in self.systemd.groups:
            if group.exists():
                group.rmdir()
        self.reply(call, 'o', [JOB])
        self.end_job(call.strings()[0], 'done')


def refusing(name, text):
    """An answer: a D-Bus error."""
    def answer(connection, call):
        connection.refuse(call, name, text)
        return True
    return answer


def ending(result):
    """An answer: a job that comes to this end."""
    def answer(connection, call):
        connection.reply(call, 'o', [JOB])
        connection.end_job(call.strings()[0], result)
        return True
    return answer


def hanging_up(connection, _):
    connection.peer.shutdown(socket.SHUT_RDWR)
    return True


def silent(_connection, _call):
    return True


def never_ending(connection, call):
    connection.reply(call, 'o', [JOB])
    return True
