# The same with files: a line is read, however many receives that takes.
# python3 socketserver-stream.py [HOST [PORT]]
import socketserver
import sys

class MyTCPHandler(socketserver.StreamRequestHandler):
    def handle(self):
        data = self.rfile.readline(10_000).decode().rstrip()
        print(f"received from {self.client_address[0]}: {data}", flush=True)
        self.wfile.write(f"{data.upper()}\n".encode())

host = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1"
port = int(sys.argv[2]) if len(sys.argv) > 2 else 9999

with socketserver.TCPServer((host, port), MyTCPHandler) as server:
    print("listening on", *server.server_address, flush=True)
    server.serve_forever()
