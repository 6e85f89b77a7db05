# Sends lines, says that there are no more, and prints what comes back.
# python3 line-client.py [HOST [PORT [LINE...]]]
import socket
import sys

host = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1"
port = int(sys.argv[2]) if len(sys.argv) > 2 else 8888
lines = sys.argv[3:] or ["one", "three"]

with socket.create_connection((host, port), timeout=10) as conn:
    with conn.makefile("r") as reader, conn.makefile("w") as writer:
        for line in lines:
            writer.write(f"{line}\n")
        writer.flush()
        conn.shutdown(socket.SHUT_WR)
        for answer in reader:
            print("answer:", answer.rstrip())
