# Sends a line and prints the answer.
# python3 socketserver-client.py HOST PORT WORD…
import socket
import sys

host, port, *words = sys.argv[1:] if len(sys.argv) > 2 else ["127.0.0.1", "9999"]
data = " ".join(words)

with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
    sock.connect((host, int(port)))
    sock.sendall(f"{data}\n".encode())
    received = sock.recv(1024).decode().rstrip()

print("sent:", data)
print("received:", received)
