# Answers each line with its length, through files over the connection.
# python3 line-server.py [HOST [PORT]]
import socket
import sys

host = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1"
port = int(sys.argv[2]) if len(sys.argv) > 2 else 8888

with socket.create_server((host, port)) as server:
    print("listening on", *server.getsockname(), flush=True)

    conn, address = server.accept()
    print("connected:", address[0], flush=True)
    with conn.makefile("r") as reader, conn.makefile("w") as writer:
        conn.close()
        for line in reader:
            writer.write(f"{len(line.rstrip())}\n")
            writer.flush()
