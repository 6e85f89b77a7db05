# Greets every client and hangs up.
# python3 greeting-server.py [HOST [PORT]]
import sys
from socket import SO_REUSEADDR, SOL_SOCKET, gethostname, socket

host = sys.argv[1] if len(sys.argv) > 1 else gethostname()
port = int(sys.argv[2]) if len(sys.argv) > 2 else 8088

server = socket()
server.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
server.bind((host, port))
server.listen(5)
print("listening on", *server.getsockname(), flush=True)

while True:
    conn, address = server.accept()
    print("connected:", address[0], flush=True)
    conn.sendall(f"welcome to {gethostname()}, {address[0]}\r\n".encode())
    conn.close()
