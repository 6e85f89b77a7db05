# Sends a datagram and prints the answer.
# python3 socketserver-udp-client.py HOST PORT WORD…
import socket
import sys

host, port, *words = sys.argv[1:] if len(sys.argv) > 2 else ["127.0.0.1", "9999"]
data = " ".join(words)

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
    sock.sendto(f"{data}\n".encode(), (host, int(port)))
    received = sock.recv(1024).decode()

print("sent:", data)
print("received:", received)
