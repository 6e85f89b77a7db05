// A proxy of SOCKS 5 as a program of CPython's, for python(). Whatever host it is asked for, it connects to this machine.

/** It takes the user "me" with the password "secret" where it has an argument, and anybody where it has none. */
export const SOCKS_PROXY = `
import threading
def exactly(conn, count):
    data = b""
    while len(data) < count: data += conn.recv(count - len(data)) or sys.exit()
    return data
def pour(source, sink):
    try:
        while data := source.recv(65536): sink.sendall(data)
        sink.shutdown(SHUT_WR)
    except OSError: pass
def serve(conn):
    version, count = exactly(conn, 2)
    methods = exactly(conn, count)
    if len(sys.argv) > 1:
        assert 2 in methods
        conn.sendall(bytes([5, 2]))
        user = exactly(conn, exactly(conn, 2)[1])
        password = exactly(conn, exactly(conn, 1)[0])
        conn.sendall(bytes([1, 0 if (user, password) == (b"me", b"secret") else 1]))
    else: conn.sendall(bytes([5, 0]))
    version, command, _, kind = exactly(conn, 4)
    host = inet_ntop(AF_INET, exactly(conn, 4)) if kind == 1 else exactly(conn, exactly(conn, 1)[0]).decode()
    port, = struct.unpack(">H", exactly(conn, 2))
    say("asked", host, port)
    try: there = create_connection(("127.0.0.1", port))
    except OSError:
        conn.sendall(bytes([5, 5, 0, 1, 0, 0, 0, 0, 0, 0]))
        return
    conn.sendall(bytes([5, 0, 0, 1]) + inet_aton("127.0.0.1") + struct.pack(">H", port))
    threading.Thread(target=pour, args=(there, conn), daemon=True).start()
    pour(conn, there)
server = listen_at("127.0.0.1")
while True:
    conn, _ = server.accept()
    threading.Thread(target=serve, args=(conn,), daemon=True).start()
`;
