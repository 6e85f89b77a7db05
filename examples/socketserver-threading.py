# Many requests at once: a client that says nothing does not keep the others waiting. Server and clients in one program.
# python3 socketserver-threading.py
import socket
import socketserver
import threading

class ThreadedTCPRequestHandler(socketserver.BaseRequestHandler):
    def handle(self):
        data = self.request.recv(1024).decode()
        self.request.sendall(f"answer to {data}".encode())

class ThreadedTCPServer(socketserver.ThreadingMixIn, socketserver.TCPServer):
    pass

def client(ip, port, message):
    with socket.create_connection((ip, port)) as sock:
        sock.sendall(message.encode())
        response = sock.recv(1024).decode()
        print("received:", response)

# Port 0 means to select an arbitrary unused port
with ThreadedTCPServer(("127.0.0.1", 0), ThreadedTCPRequestHandler) as server:
    ip, port = server.server_address

    # The server runs in a thread of its own, while the main program goes on
    serving = threading.Thread(target=server.serve_forever)
    serving.start()

    with socket.create_connection((ip, port)) as silent:
        client(ip, port, "Hello World 1")
        client(ip, port, "Hello World 2")
        client(ip, port, "Hello World 3")

    server.shutdown()
    serving.join()
