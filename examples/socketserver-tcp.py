# A handler class, and a server that makes one of it for each connection.
# python3 socketserver-tcp.py [HOST [PORT]]
import socketserver
import sys

class MyTCPHandler(socketserver.BaseRequestHandler):
    def handle(self):
        data = self.request.recv(1024)
        print(f"received from {self.client_address[0]}: {data.decode().strip()}", flush=True)
        self.request.sendall(data.decode().upper().encode())

host = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1"
port = int(sys.argv[2]) if len(sys.argv) > 2 else 9999

with socketserver.TCPServer((host, port), MyTCPHandler) as server:
    print("listening on", *server.server_address, flush=True)
    server.serve_forever()
