# Sends each message over one connection and prints what it received.
# python3 printing-client.py [HOST [PORT [MESSAGE...]]]
import sys
from socket import AF_INET, SOCK_STREAM, socket

host = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1"
port = int(sys.argv[2]) if len(sys.argv) > 2 else 8888
messages = sys.argv[3:] or ["Hello, world"]

client = socket(AF_INET, SOCK_STREAM)
client.connect((host, port))
for message in messages:
    client.sendall(message.encode())
    data = client.recv(1024)
    print("received:", data.decode())
client.close()
