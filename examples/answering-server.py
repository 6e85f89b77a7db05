# One connection that stays open: every message is answered, until the client ends or says "bye".
# python3 answering-server.py [HOST [PORT]]
import sys
from socket import AF_INET, SO_REUSEADDR, SOCK_STREAM, SOL_SOCKET, socket

host = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1"
port = int(sys.argv[2]) if len(sys.argv) > 2 else 8888

server = socket(AF_INET, SOCK_STREAM)
server.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
server.bind((host, port))
server.listen(1)
print("listening on", *server.getsockname(), flush=True)

conn, address = server.accept()
print("connected:", address[0], flush=True)
number = 0
while True:
    data = conn.recv(1024)
    if not data or data == b"bye":
        break
    number += 1
    print("received:", data.decode(), flush=True)
    conn.sendall(f"answer {number}: {data.decode().upper()}".encode())
conn.close()
server.close()
