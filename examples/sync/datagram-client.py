# Sends each message as a datagram, and prints the answers. Gives up after a second.
# python3 datagram-client.py [HOST [PORT [MESSAGE...]]]
import socket
import sys

host = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1"
port = int(sys.argv[2]) if len(sys.argv) > 2 else 9999
messages = sys.argv[3:] or ["hello", "bye"]

client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.settimeout(1)
for message in messages:
    client.sendto(message.encode(), (host, port))
    try:
        data, address = client.recvfrom(1024)
        print("received:", data.decode(), "from", address[0])
    except socket.timeout:
        print("no answer")
client.close()
