# SPDX-License-Identifier: Apache-2.0
"""A FUSE file system that stops answering (linux/fuse.h): whoever looks into it waits in state D, and can't be killed."""
import os
import struct
import threading

LOOKUP, GETATTR, INIT = 1, 3, 26
REQUEST = struct.Struct('=IIQQIIII')
REPLY = struct.Struct('=IiQ')


class SilentServer:
    """Answers for the root directory alone. Mount SOURCE with OPTIONS, then start()."""

    source = 'silent'

    def __init__(self, mountpoint):
        self.mountpoint = mountpoint
        self.fd = os.open('/dev/fuse', os.O_RDWR | os.O_CLOEXEC)
        self.options = f'fd={self.fd},rootmode=40000,user_id=0,group_id=0,allow_other'
        self.asked = threading.Event()
        self.thread = threading.Thread(target=self.serve, daemon=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        self.thread.start()

    def stop(self):
        """Closing the connection ends all waits in it."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def wait_until_asked(self):
        assert self.asked.wait(10), 'nobody looks for a file'

    def serve(self):
        while not self.asked.is_set():
            try:
                _, opcode, unique, *_ = REQUEST.unpack_from(os.read(self.fd, 1 << 17))
            except OSError:
                return
            if opcode == INIT:
                self.reply(unique, struct.pack('=IIIIHHII', 7, 31, 0, 0, 0, 0, 4096, 1) + bytes(36))
            elif opcode == GETATTR:
                times = struct.pack('=QQQ', 0, 0, 0) + struct.pack('=III', 0, 0, 0)
                attributes = struct.pack('=QQQ', 1, 0, 0) + times + struct.pack('=IIIIIII', 0o40755, 2, 0, 0, 0, 4096, 0)
                self.reply(unique, struct.pack('=QII', 3600, 0, 0) + attributes)
            elif opcode == LOOKUP:
                self.asked.set()

    def reply(self, unique, body):
        os.write(self.fd, REPLY.pack(REPLY.size + len(body), 0, unique) + body)
