# Each datagram is a request: what came, and the socket to answer with.
# python3 socketserver-udp.py [HOST [PORT]]
import socketserver
import sys

class MyUDPHandler(socketserver.BaseRequestHandler):
    def handle(self):
        data = self.request[0].decode().strip()
        socket = self.request[1]
        print(f"received from {self.client_address[0]}: {data}", flush=True)
        socket.sendto(data.upper().encode(), self.client_address)

host = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1"
port = int(sys.argv[2]) if len(sys.argv) > 2 else 9999

with socketserver.UDPServer((host, port), MyUDPHandler) as server:
    print("listening on", *server.server_address, flush=True)
    server.serve_forever()
