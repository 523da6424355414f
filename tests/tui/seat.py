"""A user at a pseudo-terminal, for test scripts that look at times, at a terminal nobody reads, and at one that goes away.

    python3 seat.py COLUMNSxROWS COMMAND... <<'END'
    wait SECONDS TEXT    the text comes out of the terminal (from now on) in time
    type KEYS            as a Python string without its quotes: \\x1b, \\r
    frames N KEYS        types each of KEYS in turn, N times, 150 ms apart, and prints how soon the terminal answered
    blind SECONDS        reads nothing meanwhile
    sh COMMAND           runs it, reading meanwhile; it must succeed
    close                the terminal goes away
    end SECONDS STATUS   the command ends in time with this status
    END
"""
import fcntl, os, pty, select, struct, subprocess, sys, termios, threading, time


def fail(*words):
    print("seat:", *words, file=sys.stderr)
    os._exit(1)


class Seat:
    def __init__(self, size, argv):
        self.out, self.mark = b"", 0
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            time.sleep(0.05)  # the size is set by then
            os.execvp(argv[0], argv)
        cols, rows = map(int, size.split("x"))
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))

    def read(self, seconds):
        """What comes within that time; True when something did."""
        if not select.select([self.fd], [], [], seconds)[0]:
            return False
        try:
            self.out += os.read(self.fd, 1 << 16)
        except OSError:
            time.sleep(0.05)
        return True

    def wait(self, seconds, text):
        until = time.monotonic() + float(seconds)
        while text.encode() not in self.out[self.mark:]:
            if time.monotonic() > until:
                fail(f"after {seconds} s no \"{text}\" in", self.out[-3000:])
            self.read(0.1)
        self.mark = len(self.out)

    def type(self, keys):
        self.mark = len(self.out)
        os.write(self.fd, keys.encode("latin-1").decode("unicode_escape").encode())

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
            time.sleep(float(rest))
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
