# SPDX-License-Identifier: Apache-2.0
"""The streaming side of a container runtime interface, as kubelets speak it: a WebSocket (RFC 6455) whose messages
begin with the number of a channel."""
import base64
import os
import socket
import struct
import urllib.parse

STDIN, STDOUT, STDERR, STATUS, RESIZE = range(5)
BINARY, CLOSE = 2, 8


class Stream:
    def __init__(self, url):
        parts = urllib.parse.urlsplit(url)
        self.socket = socket.create_connection((parts.hostname, parts.port), timeout=20)
        self.socket.sendall((
            f'GET {parts.path}?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\nUpgrade: websocket\r\n'
            f'Connection: Upgrade\r\nSec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\n'
            'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: v4.channel.k8s.io\r\n\r\n').encode())
        self.file = self.socket.makefile('rb')
        answer = self.file.readline()
        if b' 101 ' not in answer:
            raise AssertionError(f'no WebSocket: {answer}')
        while self.file.readline().strip():
            pass
        self.received = {STDOUT: b'', STDERR: b'', STATUS: b''}

    def send(self, channel, data):
        payload = bytes([channel]) + data
        mask = os.urandom(4)
        header = struct.pack('!BBH', 0x80 | BINARY, 0x80 | 126, len(payload))
        self.socket.sendall(header + mask + bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload)))

    def receive(self):
        """Takes one message; False at the end."""
        header = self.file.read(2)
        if len(header) < 2:
            return False
        length = header[1] & 0x7f
        if length >= 126:
            length, = struct.unpack('!H' if length == 126 else '!Q', self.file.read(2 if length == 126 else 8))
        payload = self.file.read(length)
        if header[0] & 0xf == CLOSE:
            return False
        if header[0] & 0xf == BINARY and payload:
            self.received[payload[0]] += payload[1:]
        return True

    def wait_for(self, channel, text):
        while text not in self.received[channel]:
            if not self.receive():
                raise AssertionError(f'{text!r} does not come: {self.received}')

    def read_all(self):
        while self.receive():
            pass
        return self.received
