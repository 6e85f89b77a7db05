# A server that is restarted without refusing a connection: the one that runs passes its listening socket over a Unix socket
# to the one that is started, goes on until that one accepts, finishes whom it serves, and ends.
# python3 hand-over.py PATH [HOST [PORT]]     once, and once more for each restart
import os
import socket
import sys
import threading

path = sys.argv[1] if len(sys.argv) > 1 else "/tmp/hand-over.sock"
host = sys.argv[2] if len(sys.argv) > 2 else "127.0.0.1"
port = int(sys.argv[3]) if len(sys.argv) > 3 else 8888
stop = threading.Event()
serving = []


def serve(conn):
    with conn, conn.makefile("rw") as file:
        for line in file:
            file.write(f"{os.getpid()} {line}")
            file.flush()


def accept():
    while not stop.is_set():
        try:
            conn, _ = server.accept()
        except TimeoutError:
            continue
        conn.settimeout(None)
        serving.append(threading.Thread(target=serve, args=[conn]))
        serving[-1].start()


before = socket.socket(socket.AF_UNIX)
running = before.connect_ex(path) == 0
if running:
    server = socket.socket(fileno=socket.recv_fds(before, 1, 1)[1][0])
else:
    server = socket.create_server((host, port))
server.settimeout(0.05)  # so that it looks whether to stop
accepting = threading.Thread(target=accept)
accepting.start()
if running:
    before.sendall(b"+")
    before.recv(1)
before.close()

control = socket.create_server(path, family=socket.AF_UNIX)
print("listening on", *server.getsockname(), flush=True)
while not stop.is_set():
    successor, _ = control.accept()
    with successor:
        socket.send_fds(successor, [b"+"], [server.fileno()])
        if successor.recv(1):
            control.close()
            os.unlink(path)
            stop.set()
accepting.join()
server.close()
print("handed over; to be finished:", sum(thread.is_alive() for thread in serving), flush=True)
