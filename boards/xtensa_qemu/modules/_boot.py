# The host's files, read-only, are the file system; at /flash is a LittleFS in memory, the current folder.
import errno
import io
import os
import sys

import host
import vfs


class HostFiles:
    def __init__(self):
        self._folder = "/"

    def _path(self, path):
        return path if path.startswith("/") else self._folder + path

    def mount(self, readonly, mkfs):
        pass

    def umount(self):
        pass

    def open(self, path, mode):
        if "w" in mode or "a" in mode or "+" in mode:
            raise OSError(errno.EROFS)
        data = host.read(self._path(path))
        return io.BytesIO(data) if "b" in mode else io.StringIO(str(data, "utf-8"))

    # A folder can be opened, but not read.
    def stat(self, path):
        try:
            size = len(host.read(self._path(path)))
        except OSError as e:
            if e.errno == errno.EIO:
                return (0x4000, 0, 0, 0, 0, 0, 0, 0, 0, 0)
            raise
        return (0x8000, 0, 0, 0, 0, 0, size, 0, 0, 0)

    def chdir(self, path):
        self._folder = path if path.endswith("/") else path + "/"

    def getcwd(self):
        return self._folder


class Flash:
    # Outlives a soft reset, as a board's does.
    SIZE = 4096

    def __init__(self):
        self._bytes = host.flash()

    def readblocks(self, block, buf, offset=0):
        start = block * self.SIZE + offset
        buf[:] = self._bytes[start : start + len(buf)]

    def writeblocks(self, block, buf, offset=None):
        if offset is None:
            self.ioctl(6, block)
            offset = 0
        start = block * self.SIZE + offset
        self._bytes[start : start + len(buf)] = buf

    def ioctl(self, op, arg):
        if op == 4:
            return len(self._bytes) // self.SIZE
        if op == 5:
            return self.SIZE
        if op == 6:
            start = arg * self.SIZE
            for at in range(start, start + self.SIZE, 256):
                self._bytes[at : at + 256] = b"\xff" * 256
            return 0


def mount():
    flash = Flash()
    try:
        system = vfs.VfsLfs2(flash)
    except OSError:
        vfs.VfsLfs2.mkfs(flash)
        system = vfs.VfsLfs2(flash)
    vfs.mount(HostFiles(), "/")
    vfs.mount(system, "/flash")
    os.chdir("/flash")
    sys.path[:] = ["", ".frozen"]


mount()
