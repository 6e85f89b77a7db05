# Connects to the greeting server and prints the greeting.
# python3 greeting-client.py [HOST [PORT]]
import sys
from socket import gethostname, socket

host = sys.argv[1] if len(sys.argv) > 1 else gethostname()
port = int(sys.argv[2]) if len(sys.argv) > 2 else 8088

client = socket()
client.connect((host, port))
greeting = b""
while not greeting.endswith(b"\r\n"):
    data = client.recv(1024)
    if not data:
        break
    greeting += data
print(greeting.decode().strip())
client.close()
