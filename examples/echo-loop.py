# An echo server that serves one client after another, each until it has ended.
# python3 echo-loop.py [HOST [PORT]]
import sys
from socket import AF_INET, SO_REUSEADDR, SOCK_STREAM, SOL_SOCKET, socket

host = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1"
port = int(sys.argv[2]) if len(sys.argv) > 2 else 8888

server = socket(AF_INET, SOCK_STREAM)
server.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
server.bind((host, port))
server.listen(5)
print("listening on", *server.getsockname(), flush=True)

while True:
    conn, address = server.accept()
    print("connected:", address[0], flush=True)
    while True:
        data = conn.recv(1024)
        if not data:
            break
        conn.sendall(data)
    conn.close()
    print("ended:", address[0], flush=True)
