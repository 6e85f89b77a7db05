# Answers each datagram in capitals, until one says "bye".
# python3 datagram-server.py [HOST [PORT]]
import socket
import sys

host = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1"
port = int(sys.argv[2]) if len(sys.argv) > 2 else 9999

server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind((host, port))
print("listening on", *server.getsockname(), flush=True)

while True:
    data, address = server.recvfrom(1024)
    print("received:", data.decode(), "from", address[0], flush=True)
    server.sendto(data.decode().upper().encode(), address)
    if data == b"bye":
        break
server.close()
