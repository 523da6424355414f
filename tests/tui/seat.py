"""A user at a pseudo-terminal, for test scripts that look at times, at a terminal nobody reads, and at one that goes away.

    python3 seat.py COLUMNSxROWS COMMAND... <<'END'
    wait SECONDS TEXT    the text comes out of the terminal in time, after what was waited for or typed last
    type KEYS            as a Python string without its quotes: \\x1b, \\r
    frames N KEYS        types each of KEYS in turn, N times, 150 ms apart, and prints how soon the terminal answered
    blind SECONDS KEYS   reads nothing meanwhile, and types KEYS ten times a second (\\f: the whole picture again), which
                         must fill the terminal
    quiet SECONDS TEXT   the text does not come out of the terminal meanwhile
    sh COMMAND           runs it, reading meanwhile; it must succeed
    save FILE            what came out of the terminal so far
    kill SIGNAL          to the command (a number)
    size COLUMNSxROWS    of the terminal from now on
    close                the terminal goes away
    end SECONDS STATUS   the command ends in time with this status
    END
"""
import fcntl, os, pty, select, struct, subprocess, sys, termios, threading, time


def fail(*words):
    print("seat:", *words, file=sys.stderr)
    os._exit(1)


def text(keys):
    return keys.encode("latin-1").decode("unicode_escape").encode()


class Seat:
    def __init__(self, size, argv):
        self.out, self.mark = b"", 0
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            time.sleep(0.05)  # the size is set by then
            os.execvp(argv[0], argv)
        self.size(size)

    def read(self, seconds):
        """What comes within that time; True when something did."""
        if not select.select([self.fd], [], [], seconds)[0]:
            return False
        try:
            self.out += os.read(self.fd, 1 << 16)
        except OSError:
            time.sleep(0.05)
        return True

    def wait(self, seconds, what):
        until = time.monotonic() + float(seconds)
        while text(what) not in self.out[self.mark:]:
            if time.monotonic() > until:
                fail(f"after {seconds} s no \"{what}\" in", self.out[-3000:])
            self.read(0.1)
        self.mark = self.out.index(text(what), self.mark) + len(text(what))

    def quiet(self, seconds, what):
        until = time.monotonic() + float(seconds)
        while time.monotonic() < until:
            self.read(0.1)
        if text(what) in self.out[self.mark:]:
            fail(f"\"{what}\" within {seconds} s in", self.out[self.mark:])

    def type(self, keys):
        self.mark = len(self.out)
        os.write(self.fd, text(keys))

    def frames(self, n, keys):
        times = []
        for i in range(int(n)):
            for key in keys:
                while self.read(0.15):
                    pass
                begin = time.monotonic()
                os.write(self.fd, key.encode())
                if self.read(5):
                    times.append((time.monotonic() - begin) * 1000)
        times.sort()
        if len(times) < int(n):
            fail("the keys are not answered")
        print(f"key to frame: best {times[0]:.1f}, median {times[len(times) // 2]:.1f}, worst {times[-1]:.1f} ms", flush=True)

    def blind(self, seconds, keys):
        until = time.monotonic() + float(seconds)
        while time.monotonic() < until:
            time.sleep(0.1)
            if select.select([], [self.fd], [], 0)[1]:
                os.write(self.fd, text(keys))
        waiting = struct.unpack("i", fcntl.ioctl(self.fd, termios.FIONREAD, b"\0" * 4))[0]
        if waiting < 4000:
            fail(f"the terminal has room: {waiting} bytes wait in it")

    def size(self, size):
        cols, rows = map(int, size.split("x"))
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))

    def sh(self, command):
        p = subprocess.Popen(["bash", "-c", command])
        while p.poll() is None:
            self.read(0.1)
        if p.returncode:
            fail(f"{command}: {p.returncode}", self.out[-3000:])

    def end(self, seconds, status):
        until = time.monotonic() + float(seconds)
        while True:
            pid, got = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                break
            if time.monotonic() > until:
                os.kill(self.pid, 9)
                fail(f"it has not ended after {seconds} s", self.out[-3000:])
            self.read(0.1) if self.fd >= 0 else time.sleep(0.1)
        if os.waitstatus_to_exitcode(got) != int(status):
            fail(f"ended with {os.waitstatus_to_exitcode(got)}, not {status}", self.out[-3000:])


def main():
    seat = Seat(sys.argv[1], sys.argv[2:])
    for line in sys.stdin:
        verb, _, rest = line.strip().partition(" ")
        if verb == "wait":
            seat.wait(*rest.split(" ", 1))
        elif verb == "type":
            seat.type(rest)
        elif verb == "frames":
            seat.frames(*rest.split(" ", 1))
        elif verb == "blind":
            seat.blind(*rest.split(" ", 1))
        elif verb == "save":
            open(rest, "wb").write(seat.out)
        elif verb == "kill":
            os.kill(seat.pid, int(rest))
        elif verb == "size":
            seat.size(rest)
        elif verb == "quiet":
            seat.quiet(*rest.split(" ", 1))
        elif verb == "sh":
            seat.sh(rest)
        elif verb == "close":
            os.close(seat.fd)
            seat.fd = -1
        elif verb == "end":
            seat.end(*rest.split(" ", 1))
        elif verb:
            fail("no such step:", line)


main()
